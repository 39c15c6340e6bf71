"""Creates of which nobody knows what came of them."""

from attrs import field, frozen

# No host takes as long to carry out a command that it was once sent.
DOUBT_S = 3600.0


@frozen
class Doubt:
    """A clone whose create may yet turn out to have worked.

    Attributes:
        number: Of the clone.
        since: When its create ended without an answer.
        digest: Of the image that was sent; empty: not known.
        is_standby: Whether it was to stand by.
    """

    number: int
    since: float
    digest: bytes = field(default=b"", repr=bytes.hex)
    is_standby: bool = False

    def is_of(self, number: int, digest: bytes, now: float) -> bool:
        """Tell whether a unikernel that turns up now is what was asked for.

        A name that was once in doubt is nobody's for ever: whoever takes it
        with another image, or long after, has a unikernel of its own.
        """
        is_same = self.digest in {b"", digest}
        return number == self.number and is_same and self.is_open(now)

    def is_open(self, now: float) -> bool:
        """Tell whether the command may still have an effect."""
        return now - self.since < DOUBT_S
