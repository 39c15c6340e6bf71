"""What has happened to the group of a demo, and whether that is what should."""

from collections.abc import Iterable, Mapping

from attrs import define, field

from autoscaler.shell.log import Field


@define
class Story:
    """What has happened so far.

    Attributes:
        wanted: The sizes at which the group should begin, turn and end.
        sizes: From which second on how many members ran.
        actions: The lines of the log about finished actions.
    """

    wanted: tuple[int, ...]
    sizes: list[tuple[float, int]] = field(factory=list)
    actions: list[Mapping[str, Field]] = field(factory=list)

    @property
    def has_turned(self) -> bool:
        """Whether the group has grown and shrunk as it should."""
        return turns(size for _, size in self.sizes) == self.wanted

    @property
    def is_as_wanted(self) -> bool:
        """Whether all of it has gone as it should."""
        return self.has_turned

    def note_size(self, second: float, size: int) -> None:
        """Note how many members run."""
        if not self.sizes or self.sizes[-1][1] != size:
            self.sizes.append((second, size))

    def summary(self) -> list[str]:
        """Return what there is to say at the end."""
        return [*self.of_sizes(), *self.of_actions(), self.ending()]

    def form(self) -> dict[str, object]:
        """Return all of it as JSON has it."""
        return {
            "ok": self.is_as_wanted,
            "sizes": [{"at_s": round(at, 1), "members": n} for at, n in self.sizes],
            "actions": [dict(action) for action in self.actions],
            "ending": self.ending(),
        }

    def of_sizes(self) -> list[str]:
        """Return how many members ran, over time."""
        shown = [f"  {second:5.1f} s  {_marks(size)}" for second, size in self.sizes]
        return ["", "members over time:", *shown]

    def of_actions(self) -> list[str]:
        """Return what the daemon did, one line each."""
        return ["actions:", *map(_action, self.actions)] if self.actions else []

    def ending(self) -> str:
        """Return in one sentence whether the group did as it should."""
        went = _way(size for _, size in self.sizes) or "nowhere"
        if self.has_turned:
            return f"The group went {went} by itself."
        return f"The group went {went}, and not {_way(self.wanted)}."


def turns(sizes: Iterable[int]) -> tuple[int, ...]:
    """Return the first of *sizes*, those at which they turn, and the last.

    No size is that before it again.
    """
    found: list[int] = []
    for size in sizes:
        if len(found) > 1 and (found[-1] > found[-2]) is (size > found[-1]):
            found.pop()
        found.append(size)
    return tuple(found)


def _marks(size: int) -> str:
    return f"{'#' * size} {size}" if size else "0"


def _action(action: Mapping[str, Field]) -> str:
    what = action.get("creates") or action.get("victim")
    took = f" in {action['took_s']} s" if "took_s" in action else ""
    why = f" ({action['error']})" if "error" in action else ""
    return (
        f"  {action['action']} {what} ({action['reason']}): "
        f"{action['outcome']}{took}{why}"
    )


def _way(sizes: Iterable[int]) -> str:
    return " -> ".join(map(str, sizes))
