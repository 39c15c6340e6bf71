"""One reading of one unikernel, as a statistics stream delivers it.

And what it does not deliver: messages that are skipped.
"""

from collections.abc import Mapping

from attrs import frozen

from albatross_client.names import Name
from albatross_client.stats import Sample


@frozen
class Heard:
    """A sample with the unikernel's whole name and the time it came.

    Attributes:
        name: The absolute name; `Sample.name` is relative to what was
            subscribed to.
        sample: The counters.
        at: `trio.current_time()` right after the read from the socket,
            seconds.
    """

    name: Name
    sample: Sample
    at: float


def all_skipped(malformed: int, unknown: Mapping[str, int]) -> Mapping[str, int]:
    """Return how many messages a stream has skipped, by kind."""
    return {**unknown, "malformed": malformed} if malformed else dict(unknown)
