"""States of daemons that have something to tell."""

from attrs import evolve

from albatross_client.names import Name
from autoscaler.core.backend import Duty, Health
from autoscaler.core.decision import Requests, Service
from autoscaler.core.group import GroupId
from autoscaler.shell.state.store import Store, StreamRow
from tests.shell.kept import (
    CLOCKS,
    WEB,
    WEST_API,
    WEST_WEB,
    Row,
    creation,
    decision,
    record,
    snapshot,
)

USER = Name.parse("user:")
BALANCER = """address_pool = "10.0.0.1-10.0.0.9"
[groups.balancer]
socket = "/run/haproxy/admin.sock"
backend = "web"
port = 80
"""

GONE = GroupId("east", WEB)


async def keep(directory):
    """Write the state of a daemon that has something to tell."""
    async with await Store.open(directory / "state", lambda: CLOCKS.wall) as store:
        foreign = evolve(
            snapshot(clones=(1,), actions=(creation(2),), changed_at=CLOCKS.now),
            foreign=(WEST_WEB.clone(9),),
        )
        await store.begin(foreign, creation(2), CLOCKS.wall)
        await store.save([snapshot(WEST_API, (1,)), snapshot(GONE, (3,))])
        row = Row(WEST_WEB, CLOCKS.wall, decision(), record())
        await store.record_decisions([row])
        stream = StreamRow(host="west", domain=USER, is_up=True, since=CLOCKS.wall)
        down = StreamRow(host="west", domain=WEB.domain, is_up=False, since=1.0)
        await store.remember_streams([evolve(down, host="east"), stream])


def behind_a_balancer(load):
    """Return *load* as it is where a balancer tells of it."""
    primary, clone = load.standings
    clone = evolve(clone, service=Service(Duty.READY, Health.PASSED, 7))
    return evolve(load, standings=(primary, clone), requests=Requests(9, 2, 12.5))


async def keep_behind_a_balancer(directory, load):
    async with await Store.open(directory / "state", lambda: CLOCKS.wall) as store:
        await store.save([snapshot(clones=(1,))])
        row = Row(WEST_WEB, CLOCKS.wall, evolve(decision(), load=load), None)
        await store.record_decisions([row])


GONE = GroupId("east", WEB)
