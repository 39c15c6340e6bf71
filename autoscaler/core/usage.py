"""The usage of a group over a minute, gathered tick by tick."""

from attrs import frozen

from autoscaler.core.decision import Load


@frozen
class Minute:
    """What the ticks of one minute said.

    Attributes:
        means: Mean usage at each tick that had one, percent.
        sizes: How many members could serve at each tick.
    """

    means: tuple[float, ...] = ()
    sizes: tuple[int, ...] = ()

    def with_tick(self, load: Load) -> "Minute":
        """Return the minute with one more tick."""
        means = self.means if load.mean_up is None else (*self.means, load.mean_up)
        return Minute(means, (*self.sizes, load.capacity))

    @property
    def mean(self) -> float | None:
        """Mean of the means, None where nobody reported."""
        return sum(self.means) / len(self.means) if self.means else None

    @property
    def least(self) -> float | None:
        """The least of the means."""
        return min(self.means, default=None)

    @property
    def most(self) -> float | None:
        """The greatest of the means."""
        return max(self.means, default=None)

    @property
    def smallest(self) -> int:
        """The least of the sizes."""
        return min(self.sizes, default=0)

    @property
    def largest(self) -> int:
        """The greatest of the sizes."""
        return max(self.sizes, default=0)
