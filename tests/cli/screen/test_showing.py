"""What happens while somebody watches, and what is done about it."""

import signal

import pytest
from attrs import evolve

from autoscaler.cli.screen.keyboard import Key
from autoscaler.cli.screen.looking import CHOOSING, Explain, Obey, Reading
from autoscaler.cli.screen.showing import (
    Do,
    Explained,
    Hung,
    Leave,
    Obeyed,
    Passed,
    Showing,
    Signalled,
    Typed,
    react,
)
from autoscaler.cli.screen.sights import Seen
from autoscaler.cli.screen.table import Scene
from tests.cli.screen.fleets import HELD, SHORT, group, sight

FLEET = sight(SHORT, group(), HELD)
SHOP, WEB, API = (each.group for each in FLEET.groups)


NOTHING = Showing(Scene(sight=None))


def play(*news, showing=NOTHING):
    """Let *news* happen; return what is shown then, and what was to be done."""
    effects = []
    for each in news:
        showing, effect = react(showing, each)
        effects.append(effect)
    return showing, [effect for effect in effects if effect is not None]


def test_groups_are_shown_as_soon_as_they_are_seen():
    showing, effects = play(Seen(FLEET))

    assert showing.visible == Scene(sight=FLEET)
    assert [row.group for row in showing.looking.rows] == [SHOP, WEB, API]
    assert effects == []


def test_what_was_seen_last_stays_with_why_it_is_not_newer():
    showing, _ = play(Seen(FLEET), Seen(None, complaint="no daemon runs"))

    assert showing.visible == Scene(sight=FLEET, complaint="no daemon runs")


def test_a_daemon_that_is_back_is_no_complaint():
    showing, _ = play(Seen(None, complaint="no daemon runs"), Seen(FLEET))

    assert showing.visible.complaint == ""


def test_a_group_is_explained_once_it_is_known_why():
    asked, effects = play(Seen(FLEET), Typed("e"))
    told, _ = play(Explained(SHOP, ("why",)), showing=asked)

    assert effects == [Explain(SHOP)]
    assert (asked.looking.page, told.looking.page) == (
        CHOOSING,
        Reading(SHOP, ("why",)),
    )


def test_who_has_gone_on_is_not_called_back_to_read():
    showing, _ = play(
        Seen(FLEET), Typed("e"), Typed(Key.DOWN), Typed("e"), Explained(SHOP, ("why",))
    )

    assert showing.looking.page == CHOOSING


def test_what_is_read_is_read_anew_with_everything_that_is_seen():
    _, effects = play(Seen(FLEET), Typed("e"), Explained(SHOP, ("why",)), Seen(FLEET))

    assert effects == [Explain(SHOP), Explain(SHOP)]


def test_what_is_not_read_any_more_does_not_come_back():
    showing, _ = play(
        *(Seen(FLEET), Typed("e"), Explained(SHOP, ("why",)), Seen(FLEET)),
        *(Typed("q"), Explained(SHOP, ("why now",))),
    )

    assert showing.looking.page == CHOOSING


def test_what_was_done_is_said_and_looked_at_at_once():
    asked, effects = play(Seen(FLEET), Typed("p"), Typed("y"))
    done, later = play(Obeyed(f"{SHOP} is paused"), showing=asked)

    assert (effects, later) == ([Obey("pause", SHOP)], [Do.LOOK])
    assert asked.looking.said == f"pause {SHOP} ..."
    assert done.looking.said == f"{SHOP} is paused"


def test_a_group_that_somebody_has_paused_is_resumed():
    _, effects = play(Seen(FLEET), Typed(Key.END), Typed("p"), Typed("y"))

    assert effects == [Obey("resume", API)]


def test_a_daemon_that_takes_long_is_told():
    soon, _ = play(Seen(FLEET), Passed(4.0))
    late, _ = play(Passed(7.0), showing=soon)
    back, _ = play(Seen(FLEET), showing=late)

    assert soon.visible.complaint == ""
    assert late.visible.complaint == (
        "the daemon has not answered for 7 s: showing 14:03:11"
    )
    assert back.visible.complaint == ""


def test_a_daemon_that_never_answered_is_told_too():
    showing, _ = play(Passed(7.0))

    assert showing.visible.complaint == "the daemon has not answered for 7 s"


@pytest.mark.parametrize(
    ("news", "effect"),
    [
        pytest.param(Typed("q"), Leave(0), id="q"),
        pytest.param(Typed(Key.REDRAW), Do.REDRAW, id="control L"),
        pytest.param(Hung(), Leave(129), id="the terminal is gone"),
        pytest.param(Signalled(signal.SIGINT), Leave(130), id="SIGINT"),
        pytest.param(Signalled(signal.SIGTERM), Leave(143), id="SIGTERM"),
        pytest.param(Signalled(signal.SIGWINCH), Do.REDRAW, id="another size"),
        pytest.param(Signalled(signal.SIGTSTP), Do.SUSPEND, id="control Z"),
    ],
)
def test_it_ends_and_is_drawn_anew(news, effect):
    assert play(news)[1] == [effect]


def test_the_title_stays():
    titled = Showing(Scene(sight=None, title="autoscaler top: test"))

    showing, _ = play(Seen(FLEET), showing=titled)

    assert showing.visible == evolve(titled.scene, sight=FLEET)
