"""Groups change by `tell` alone, and see what others are about to take."""

import pytest
import trio
from attrs import evolve

from albatross_client.names import Name
from autoscaler.core.events import ActionEnded, Informed, Ticked
from autoscaler.core.group import GroupId, new_group
from autoscaler.core.ledger import Ledger
from autoscaler.core.moments import Clocks
from autoscaler.core.policy import Mode, Policy
from autoscaler.core.rhythm import Rhythm
from autoscaler.shell.fleet import Fleet
from autoscaler.shell.hosts.watch import Watch
from autoscaler.shell.ticker import tick_what_is_due
from tests.core.builders import (
    DOMAIN,
    GROUP,
    PRIMARY,
    clone_name,
    creating,
    make_info,
    make_rules,
)
from tests.shell.harness import Notebook

API = GroupId("alpha", Name(("user",), "api"))
ELSEWHERE = GroupId("beta", Name(("user",), "web"))
CLOCKS = Clocks(0.0, "boot", 0.0, 1000.0)


@pytest.fixture
async def fleet():
    """Two groups of one domain, one of another host; needs a running trio."""
    groups = [new_group(g, Policy(max_clones=3)) for g in (GROUP, API, ELSEWHERE)]
    busy = evolve(groups[0], ledger=Ledger(actions=(creating(1, 2),), next_number=3))
    watches = [Watch(host, DOMAIN, Rhythm()) for host in ("alpha", "beta")]
    return Fleet([busy, *groups[1:]], watches, Notebook(), lambda: CLOCKS, 60.0)


async def test_what_others_of_a_host_are_about_to_create_is_seen(fleet):
    assert [c.name for c in fleet.view(API).claims] == [clone_name(1), clone_name(2)]
    assert fleet.view(GROUP).claims == ()
    assert fleet.view(ELSEWHERE).claims == ()


async def test_an_action_that_ended_claims_nothing(fleet):
    fleet.tell(GROUP, ActionEnded(1, "no"))

    assert fleet.view(API).claims == ()


async def test_a_change_of_the_ledger_has_to_be_saved(fleet):
    fleet.unsaved.clear()

    fleet.tell(GROUP, ActionEnded(1, "no"))

    assert fleet.unsaved == {GROUP}


async def test_a_decision_is_written_when_it_is_another_one(fleet):
    fleet.tell(API, Informed(fleet.view(API)))
    fleet.tell(API, Informed(fleet.view(API)))

    assert [change.group for change in fleet.changes] == [API]
    assert fleet.changes[0].wall == CLOCKS.wall


async def test_a_frame_stirs_the_group_of_its_member_alone(fleet):
    fleet.stirred.clear()

    fleet.frame_heard(fleet.watch(GROUP), PRIMARY)
    fleet.frame_heard(fleet.watch(GROUP), Name(("user",), "stranger"))

    assert fleet.stirred == {GROUP}


async def test_a_stream_stirs_all_groups_of_its_domain(fleet):
    fleet.stirred.clear()

    fleet.stream_changed(fleet.watch(GROUP))

    assert fleet.stirred == {GROUP, API}
    assert fleet.streams_changed


async def test_an_action_that_nobody_carries_out_is_a_bug(fleet):
    now = trio.current_time()
    watch = fleet.watch(API)
    watch.take_infos({API.name: make_info()}, now, now, 0)
    watch.take_policies(make_rules().policies, now)
    fleet.groups[API] = evolve(
        fleet.groups[API], policy=Policy(max_clones=1, min_clones=1)
    )

    with pytest.raises(RuntimeError, match="nobody carries it out"):
        fleet.tell(API, Informed(fleet.view(API)))


async def test_a_tick_that_is_due_at_the_end_is_not_looked_at(fleet):
    fleet.is_stopping = True
    fleet.stirred.clear()

    due = {API: trio.current_time()}
    tick_what_is_due(fleet, due)

    assert due == {}
    assert fleet.groups[API].decision is None


async def test_a_tick_that_is_due_is_looked_at_once(fleet):
    fleet.stirred.clear()

    due = {API: trio.current_time()}
    tick_what_is_due(fleet, due)

    assert due == {}
    assert fleet.groups[API].decision is not None


async def test_a_tick_counts_for_the_minute(fleet):
    fleet.tell(API, Ticked(fleet.view(API)))
    fleet.tell(API, Ticked(fleet.view(API)))

    assert len(fleet.minutes[API].sizes) == 2


async def test_a_paused_group_says_so(fleet):
    paused = evolve(fleet.groups[API].policy, mode=Mode.PAUSED)
    fleet.groups[API] = evolve(fleet.groups[API], policy=paused)

    fleet.tell(API, Informed(fleet.view(API)))

    assert fleet.groups[API].decision.reason.value == "paused"
