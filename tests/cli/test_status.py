import pytest
from attrs import evolve

from albatross_client.names import Name
from autoscaler.core.decision import MemberClass
from autoscaler.core.demand import RequestPolicy
from autoscaler.core.group import GroupId
from autoscaler.core.ledger import Backoff
from autoscaler.shell.configuration.settings import load_settings
from autoscaler.shell.operators.status_report import (
    MemberLine,
    Stranded,
    report,
)
from autoscaler.shell.state.reader import NOTHING, Standing, State, read_state
from autoscaler.shell.state.store import Store
from tests.cli.files import MANAGED, configuration
from tests.cli.states import GONE
from tests.shell.kept import (
    CLOCKS,
    CLONE,
    WEB,
    WEST_API,
    WEST_WEB,
    Row,
    creation,
    decision,
    snapshot,
)


def state(*snapshots, decisions=(), began=()):
    return State({s.id: s for s in snapshots}, dict(decisions), dict(began), ())


@pytest.fixture
def settings(tmp_path):
    return load_settings(configuration(tmp_path))


def line(settings, known, clocks=CLOCKS):
    [found] = report(settings, known, clocks).groups
    return found


def test_a_group_of_which_nothing_is_known_is_told_all_the_same(settings):
    found = line(settings, NOTHING)

    assert found.id == WEST_WEB
    assert found.members == ()
    assert found.standing is None


def test_members_have_the_class_and_usage_of_the_newest_decision(settings):
    standing = Standing(decision(), 1.0, 2.0)
    known = state(
        snapshot(clones=(1, 2), actions=(creation(3),)),
        decisions={WEST_WEB: standing}.items(),
    )

    assert line(settings, known).members == (
        MemberLine(WEB, MemberClass.FRESH, 93.25),
        MemberLine(CLONE, MemberClass.STALE, None),
        MemberLine(WEST_WEB.clone(2), None, None),
        MemberLine(WEST_WEB.clone(3), None, None),
    )


async def test_a_managed_group_has_no_member_but_its_own(tmp_path):
    shop = GroupId("west", Name(("user",), "shop"), is_managed=True)
    settings = load_settings(configuration(tmp_path, groups=MANAGED))
    async with await Store.open(tmp_path / "state", lambda: CLOCKS.wall) as store:
        kept = snapshot(shop, clones=(1,), actions=(creation(2),))
        await store.begin(kept, creation(2), CLOCKS.wall)
        await store.record_decisions([Row(shop, CLOCKS.wall, decision())])
        await store.refresh_decisions([Row(shop, CLOCKS.wall, decision())])

    found = line(settings, read_state(tmp_path / "state"))

    assert [str(member.name) for member in found.members] == [
        "user:shop-1",
        "user:web-clone-2",
    ]
    assert found.standing is not None
    assert [action.age_s for action in found.actions] == [0.0]


def test_cooldowns_count_from_the_last_change_each_for_itself(settings):
    known = state(snapshot(changed_at=CLOCKS.now - 45.0))

    found = line(settings, known)

    assert found.cooldown_up_left_s == pytest.approx(15.0)
    assert found.cooldown_down_left_s == pytest.approx(255.0)


def test_where_requests_drive_a_group_their_cooldown_is_told(settings):
    requests = RequestPolicy(target_rps=1, cooldown_down=50.0)
    group = settings.groups[0]
    driven = evolve(group, policy=evolve(group.policy, requests=requests))
    known = state(snapshot(changed_at=CLOCKS.now - 45))

    found = line(evolve(settings, groups=(driven,)), known)

    assert found.cooldown_up_left_s == 0.0
    assert found.cooldown_down_left_s == pytest.approx(5.0)


def test_a_cooldown_goes_on_while_the_daemon_is_down(settings):
    known = state(snapshot(changed_at=CLOCKS.now))
    later = evolve(CLOCKS, boot=CLOCKS.boot + 200.0)

    found = line(settings, known, later)

    assert found.cooldown_up_left_s == 0.0
    assert found.cooldown_down_left_s == pytest.approx(100.0)


def test_pauses_after_failures_are_told_while_they_hold(settings):
    known = state(
        snapshot(
            creating=Backoff(1, CLOCKS.now - 4.0, 10.0, b"x"),
            replacing=Backoff(1, CLOCKS.now - 40.0, 10.0),
        )
    )

    assert dict(line(settings, known).backoffs_left_s) == {
        "creating": pytest.approx(6.0)
    }


@pytest.mark.parametrize(
    ("began", "age"),
    [
        pytest.param({(WEST_WEB, 1): CLOCKS.wall - 3.0}, 3.0, id="known"),
        pytest.param({(WEST_WEB, 1): CLOCKS.wall + 3.0}, 0.0, id="a clock was stepped"),
        pytest.param({}, None, id="not known"),
    ],
)
def test_the_age_of_an_action_is_told(settings, began, age):
    known = state(snapshot(actions=(creation(),)), began=began.items())

    [found] = line(settings, known).actions
    assert found.age_s == age


def test_clones_of_a_group_that_is_gone_are_told_with_what_removes_them(tmp_path):
    settings = load_settings(configuration(tmp_path))
    known = state(snapshot(WEST_API, (1,)), snapshot(GONE, (2,)), snapshot())
    command = (
        f"autoscaler destroy --stranded --config {settings.path} west/user:api-clone-1"
    )

    assert report(settings, known, CLOCKS).stranded == (
        Stranded("east", Name.parse("user:web-clone-2"), None),
        Stranded("west", Name.parse("user:api-clone-1"), command),
    )


def test_a_stranded_clone_is_as_old_as_the_last_look_at_its_group(tmp_path):
    settings = load_settings(configuration(tmp_path))
    standing = Standing(decision(), 1.0, 1_799_999_000.0)
    known = state(snapshot(WEST_API, (1,)), decisions={WEST_API: standing}.items())

    [stranded] = report(settings, known, CLOCKS).stranded

    assert stranded.since == 1_799_999_000.0


def test_a_clone_that_was_being_created_is_stranded_too(tmp_path):
    settings = load_settings(configuration(tmp_path))
    known = state(snapshot(GONE, (1,), actions=(creation(2),)))

    names = [str(each.name) for each in report(settings, known, CLOCKS).stranded]

    assert names == ["user:web-clone-1", "user:web-clone-2"]


def test_a_command_can_be_pasted_whatever_the_path_is(tmp_path):
    directory = tmp_path / "it's here"
    directory.mkdir()
    settings = load_settings(configuration(directory))

    [stranded] = report(settings, state(snapshot(WEST_API, (1,))), CLOCKS).stranded

    assert f"""--config '{tmp_path}/it'"'"'s here/autoscaler.toml'""" in (
        stranded.command or ""
    )
