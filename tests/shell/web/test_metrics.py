"""What is measured, as those read it who ask for it."""

import shutil
import subprocess
from pathlib import Path

import pytest
import trio
from attrs import evolve
from prometheus_client.parser import text_string_to_metric_families

from albatross_client.names import Name
from albatross_client.sandbox.demand import Demand
from autoscaler.core.activation import ActivatorSettings
from autoscaler.core.backend import Backend, Place
from autoscaler.core.holding import Holding
from autoscaler.core.policy import Policy
from autoscaler.shell.balancing.waking import Members
from autoscaler.shell.configuration.traffic_tables import (
    BalancerSettings,
    TrafficSettings,
)
from autoscaler.shell.traffic.activator import Activator
from autoscaler.shell.traffic.runtime_socket import UnixSocket
from autoscaler.shell.web.metrics import METRICS, Sources, tell
from autoscaler.shell.web.tally import Tally
from tests.shell.harness import GROUP, HOST, Wish, make_world, wait_until

NAMES = {metric.family.full_name for metric in METRICS}


def text_of(sources):
    return b"".join(tell(sources)).decode()


def values(sources):
    """Return every sample by its name and labels, as a scraper reads them."""
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text_of(sources))
        for sample in family.samples
    }


@pytest.fixture
async def world(nursery):
    wish = Wish(policy=Policy(max_clones=2), demand=Demand.constant(3.0))
    world = await make_world(nursery, wish)
    await wait_until(lambda: world.size == 3, within=1000)
    await wait_until(lambda: not world.group.ledger.actions, within=100)
    return world


async def test_a_group_shows_what_it_uses_wants_and_has(autojump_clock, world):
    await trio.sleep(60)

    found = values(Sources(world.daemon, Tally()))

    place = (HOST, "user:web")[::1]
    here = tuple(sorted(place))
    assert found["autoscaler_group_clones", *here] == 2
    assert found["autoscaler_group_standbys", *here] == 0
    assert found["autoscaler_group_max_clones", *here] == 2
    assert found["autoscaler_group_wanted_clones", *here] == 3
    assert found["autoscaler_group_possible_clones", *here] == 2
    assert found["autoscaler_group_usage_percent", *here] == pytest.approx(100, abs=5)


async def test_streams_and_frames_are_told_by_domain(autojump_clock, world):
    found = values(Sources(world.daemon, Tally()))

    here = tuple(sorted((HOST, "user:")))
    assert found["autoscaler_stream_up", *here] == 1
    [watch] = world.daemon.fleet.watches.values()
    heard = sum(watch.verdicts.values())
    assert found["autoscaler_stats_frames_total", *here] == heard > 10
    first = tuple(sorted((*here, "first")))
    assert found["autoscaler_stats_dropped_total", *first] == 3
    assert found["autoscaler_stats_subscription_lost_total", HOST] == 0


async def test_what_was_counted_is_told(autojump_clock, world):
    tally = Tally()
    tally.decisions["up", "high"] = 4
    tally.hear("action_finished", {"action": "CreateClones", "outcome": "done"})
    tally.durations["create"].take(0.3)
    tally.lost[HOST] = 2

    found = values(Sources(world.daemon, tally))

    assert found["autoscaler_decision_total", "high", "up"] == 4
    assert found["autoscaler_actions_total", "create", "done"] == 1
    assert found["autoscaler_actions_total", "create", "failed"] == 0
    assert found["autoscaler_action_duration_seconds_bucket", "0.5", "create"] == 1
    assert found["autoscaler_action_duration_seconds_count", "create"] == 1
    assert found["autoscaler_stats_subscription_lost_total", HOST] == 2


async def test_the_daemon_tells_of_itself(autojump_clock, world):
    world.daemon.fleet.is_writable = False
    world.daemon.fleet.tick_lag = 0.25

    found = values(Sources(world.daemon, Tally()))

    assert found["autoscaler_state_writable",] == 0
    assert found["autoscaler_tick_lag_seconds",] == 0.25
    assert [v for (name, *_), v in found.items() if name == "autoscaler_build_info"]


async def test_balancers_and_activators_are_told_by_group(autojump_clock, world):
    socket = UnixSocket(Path("/nowhere/admin.sock"))
    balancer = BalancerSettings(socket=socket, backend="web", port=8080)
    exchange = world.daemon.exchange
    exchange.follow({GROUP: TrafficSettings(balancer=balancer)})
    keeper = exchange.keepers[GROUP]
    sources, here = Sources(world.daemon, Tally()), tuple(sorted((HOST, "user:web")))

    before = values(sources)
    keeper.seen = Backend(at=0.0, in_flight=7)
    listen = ActivatorSettings(listen=Place("127.0.0.1", 9001))
    keeper.activator = Activator(
        str(GROUP), listen, Members(GROUP, world.daemon.fleet, keeper), world.told
    )
    keeper.activator.holding = Holding(listen, held=3, woken=2)
    after = values(sources)

    assert before["autoscaler_balancer_up", *here] == 0
    assert ("autoscaler_requests_in_flight", *here) not in before
    assert ("autoscaler_held_connections", *here) not in before
    assert after["autoscaler_balancer_up", *here] == 1
    assert after["autoscaler_requests_in_flight", *here] == 7
    assert after["autoscaler_held_connections", *here] == 3
    assert after["autoscaler_wakes_total", *here] == 2


async def test_a_group_that_goes_while_it_is_told_is_left_out(autojump_clock, world):
    sources = Sources(world.daemon, Tally())
    pieces = tell(sources)

    while b"TYPE autoscaler_group_usage" not in next(pieces):
        continue
    world.daemon.fleet.remove(GROUP)

    assert b"user:web" not in b"".join(pieces)


async def test_many_groups_are_told_some_lines_at_a_time(autojump_clock, world):
    fleet = world.daemon.fleet
    for number in range(450):
        name = Name(("user",), f"w{number}")
        fleet.groups[evolve(GROUP, name=name)] = evolve(
            world.group, id=evolve(GROUP, name=name)
        )

    pieces = list(tell(Sources(world.daemon, Tally())))

    assert max(piece.count(b"\n") for piece in pieces) <= 200
    assert b"".join(pieces).count(b"\nautoscaler_group_clones{") == 451


async def test_every_metric_is_introduced_once(autojump_clock, world):
    text = text_of(Sources(world.daemon, Tally()))

    introduced = [line.split()[2] for line in text.splitlines() if "# TYPE" in line]
    assert sorted(introduced) == sorted(NAMES)


@pytest.mark.slow
async def test_promtool_has_nothing_to_say(autojump_clock, world):
    tool = shutil.which("promtool")
    if tool is None:
        pytest.skip("PROMTOOL IS NOT HERE: apt-get install prometheus")
    told = text_of(Sources(world.daemon, Tally()))

    done = subprocess.run(  # noqa: ASYNC221, S603 - nothing else runs
        [tool, "check", "metrics"],
        input=told,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)
