"""Post-mortems in the state: what was last known of clones that are gone."""

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping

from attrs import frozen

from albatross_client.names import Name
from autoscaler.core.group import GroupId
from autoscaler.shell.state.looks import inflate
from autoscaler.shell.state.records import from_json, to_json

BURY = (
    "INSERT INTO post_mortems (host, primary_name, name, at, body) "
    "VALUES (?, ?, ?, ?, ?)"
)
PRUNE_MORTEMS = "DELETE FROM post_mortems WHERE at < ?"
# The newest of each group; a clone that can't be made tries again and again.
MOST_OF_A_GROUP = 100
PRUNE_MANY = (
    "DELETE FROM post_mortems WHERE host = ? AND primary_name = ? AND number NOT IN "
    "(SELECT number FROM post_mortems WHERE host = ? AND primary_name = ? "
    "ORDER BY number DESC LIMIT ?)"
)


# Why a clone is gone that nobody has destroyed.
DIED = "died"


@frozen
class ConsoleText:
    """One line of a console.

    Attributes:
        at: When it was written, seconds since 1970 by the host's clock.
        text: Printable and bounded.
    """

    at: float
    text: str


@frozen(kw_only=True)
class PostMortem:
    """What was last known of one clone.

    Attributes:
        group: Whose clone.
        name: The clone.
        at: When it was gone, seconds since 1970.
        why: Why it had to go, or `DIED`.
        failure: What failed, in the host's words; None: nothing did.
        usage: Percent of one CPU; None: not known.
        stats: Its last frame, by counter; None: it was never heard.
        info: What the host last said of it, as JSON; None: it never did.
        console: Its last lines, oldest first.
        decision_id: The decision that it went by; None: it went by none.
    """

    group: GroupId
    name: Name
    at: float
    why: str
    failure: str | None = None
    usage: float | None = None
    stats: Mapping[str, int | None] | None = None
    info: str | None = None
    console: tuple[ConsoleText, ...] = ()
    decision_id: str | None = None

    @property
    def facts(self) -> Mapping[str, object]:
        """What the host last said of it."""
        found: dict[str, object] = {} if self.info is None else json.loads(self.info)
        return found


def mortem_rows(mortems: Iterable[PostMortem]) -> Iterator[tuple[object, ...]]:
    """Yield the rows of `BURY`."""
    for each in mortems:
        body = zlib.compress(to_json(each).encode("ascii"))
        yield each.group.host, each.group.key, str(each.name), each.at, body


def unpack_mortem(what: str, packed: bytes) -> PostMortem:
    """Return the post-mortem in a row.

    Raises:
        DamagedError: There is none; the message says *what* it was.
    """
    return inflate(what, packed, lambda text: from_json(text, PostMortem))
