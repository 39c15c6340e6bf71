"""The `[groups.requests]` table: how requests drive the size of a group."""

from collections.abc import Mapping

from attrs import evolve

from autoscaler.core.demand import RequestPolicy
from autoscaler.shell.configuration.keys import NUMBER, Key, a_count, a_duration
from autoscaler.shell.configuration.problems import Place, Problem
from autoscaler.shell.configuration.tables import Shape

TABLE = "requests"

# In the order of `core.demand.RequestPolicy`.
REQUESTS: Mapping[str, Key] = {
    "target_in_flight": NUMBER,
    "target_rps": NUMBER,
    "max_queue_ms": NUMBER,
    "max_step_up": a_count(1),
    "max_step_down": a_count(1),
    "cooldown_up": a_duration(or_none=True),
    "cooldown_down": a_duration(or_none=True),
    "stabilise": a_duration(or_none=True),
}
_SHAPE = Shape(RequestPolicy, REQUESTS, frozenset(REQUESTS))


def read_requests(
    table: object, group: Place
) -> tuple[RequestPolicy | None, tuple[Problem, ...]]:
    """Return what a parsed `requests` says, or all that is wrong with it.

    Arguments:
        table: What stands there.
        group: The table that it belongs to.
    """
    place = evolve(group, table=f"{group.table}, [groups.{TABLE}]")
    if not isinstance(table, Mapping):
        return None, (place.problem("must be a table"),)
    return _SHAPE.read(table, place)
