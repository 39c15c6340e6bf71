"""Who holds connections of a group is known to whoever looks at the fleet."""

from pathlib import Path

from autoscaler.core.activation import ActivatorSettings
from autoscaler.core.backend import Place
from autoscaler.shell.balancing.exchange import Exchange
from autoscaler.shell.configuration.traffic_tables import (
    BalancerSettings,
    TrafficSettings,
)
from autoscaler.shell.traffic.runtime_socket import UnixSocket
from tests.core.builders import GROUP
from tests.shell.harness import Wish, make_world

BALANCER = BalancerSettings(
    socket=UnixSocket(Path("/nonexistent")), backend="web", port=80
)
ACTIVATOR = ActivatorSettings(listen=Place("127.0.0.1", 9001))


async def test_only_groups_with_an_activator_have_somebody_who_holds(
    autojump_clock, nursery
):
    world = await make_world(nursery, Wish())
    fleet = world.daemon.fleet
    exchange = Exchange(fleet, world.told, lambda _task: None)

    exchange.follow({GROUP: TrafficSettings(BALANCER)})
    without = dict(fleet.holders)
    exchange.follow({GROUP: TrafficSettings(BALANCER, ACTIVATOR)})
    held = [holder.held for holder in fleet.holders.values()]
    exchange.follow({})

    assert without == {}
    assert held == [0]
    assert fleet.holders == {}
