import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.cli.screen.sights import (
    OTHER_VERSION,
    OtherVersionError,
    Said,
    read_sight,
)
from autoscaler.core.decision import MemberClass
from tests.cli.screen.fleets import HELD, SHORT, form, group, member


def changed(**changes):
    return form(group(**changes))


def test_what_the_daemon_tells_is_read():
    read = read_sight(form(SHORT, HELD))

    [shop, api] = read.groups
    assert read.at.timestamp() == 1772373791.25
    assert (shop.need, shop.needs) == (2, tuple(SHORT["needs"]))
    assert shop.members[1].counts_as is MemberClass.GIVEN_UP
    assert shop.guards[1].left_s == 12.4
    assert api.said == Said("paused", "ada", 7200.0)
    assert api.load_percent is None
    assert read.fleet.streams[0].host == "west"


def test_a_group_of_which_nothing_is_known_yet_is_read():
    read = read_sight(
        changed(
            decision=None,
            flip=None,
            sizes=None,
            guards=[],
            members=[member(counts_as=None, usage=None)],
            hour_percent=[],
        )
    )

    assert read.groups[0].decision is None
    assert read.groups[0].members[0].counts_as is None


def test_what_a_later_version_tells_beside_it_is_left_alone():
    assert read_sight({**form(group(colour="red")), "more": 1}) == read_sight(
        form(group())
    )


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(None, id="nothing"),
        pytest.param([], id="a list"),
        pytest.param({}, id="an empty object"),
        pytest.param({**form(), "at": "yesterday"}, id="a time that is none"),
        pytest.param({**form(), "at": "0001-01-01T00:00:00+14:00"}, id="before time"),
        pytest.param({**form(), "at": "2026-03-01T14:03:11"}, id="a time anywhere"),
        pytest.param({**form(), "groups": None}, id="no groups"),
        pytest.param(form(hosts="1"), id="a number as text"),
        pytest.param(form(hosts=True), id="a truth for a number"),
        pytest.param(changed(needs=None), id="null for a list"),
        pytest.param(changed(load_percent=float("nan")), id="no number"),
        pytest.param(changed(group=7), id="a number for text"),
        pytest.param(changed(members=[member(counts_as="fine")]), id="another class"),
        pytest.param(changed(hour_percent=["1"]), id="text for a percentage"),
        pytest.param({**form(), "groups": [{"group": "x"}]}, id="less of a group"),
    ],
)
def test_what_is_of_another_form_is_refused_with_one_sentence(wrong):
    with pytest.raises(OtherVersionError) as refused:
        read_sight(wrong)

    assert str(refused.value) == OTHER_VERSION


def test_texts_are_printable_and_short_whoever_wrote_them():
    read = read_sight(
        changed(needs=["\x1b[2J" + "x" * 10_000], members=[member("user:\x9bweb")])
    )

    [shown] = read.groups
    assert shown.needs[0].startswith("\\x1b[2J")
    assert len(shown.needs[0]) <= 500
    assert shown.members[0].name == "user:\\x9bweb"


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["at", "fleet", "groups", "x"]), inner, max_size=4
            )
        ),
        max_leaves=8,
    )
)
def test_whatever_comes_is_read_or_refused(value):
    with pytest.raises(OtherVersionError):
        read_sight(value)
