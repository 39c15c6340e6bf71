"""A desk with a daemon behind it."""

from attrs import frozen

from albatross_client.names import Name
from albatross_client.sandbox.demand import Demand
from albatross_client.sandbox.embed import SANDBOX_IMAGE
from albatross_client.values import Config
from autoscaler.core.group import GroupId
from autoscaler.shell.log import Log
from autoscaler.shell.operators.control import Peer
from autoscaler.shell.operators.desk import Desk, Ledgers
from autoscaler.shell.operators.notify import Notifier
from autoscaler.shell.operators.requests import Reply, Request
from tests.shell.harness import HOST, Wish
from tests.shell.reloading import (
    PLAIN,
    Reloadable,
    make_reloadable,
)

API = Name(("user",), "api")
SMALL = Config(image=SANDBOX_IMAGE, memory=32)

ANN = Peer(1000, "ann", 4711)
BUSY = Wish(demand=Demand.constant(3))


@frozen
class Office:
    """A desk, and the daemon that it speaks for."""

    made: Reloadable
    desk: Desk

    @property
    def world(self):
        return self.made.world

    async def ask(self, verb: str, **words: str) -> Reply:
        return await self.desk.obey(Request(verb, words), ANN)


async def open_office(nursery, text=PLAIN, wish=None, others=None) -> Office:
    made = await make_reloadable(nursery, text, wish, others)
    log = Log(
        lambda _level, event, fields: made.world.log.append((event, dict(fields)))
    )
    ledgers = Ledgers(made.world.store, log, Notifier())
    return Office(made, Desk(made.world.daemon, made.reloader, ledgers))


API_GROUP = GroupId(HOST, API)
