"""Clones that are gone, as the state keeps them."""

from autoscaler.shell.state.mortems import unpack_mortem
from tests.shell.harness import World


def buried(world: World):
    rows = world.store._connection.execute("SELECT name, body FROM post_mortems")  # noqa: SLF001 - as a reader would
    return [unpack_mortem(name, body) for name, body in rows]
