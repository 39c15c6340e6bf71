"""The fleet and its groups on a screen: what needs a person first.

Laws: no I/O; a screen never has more lines than it is high, nor wider ones than
it is wide; whatever has no room is left out, the least urgent first.
"""

import math
from collections.abc import Iterator

from attrs import field, frozen
from rich.cells import cell_len
from rich.console import ConsoleDimensions
from rich.text import Text

from autoscaler.cli.screen.detail import describe_group
from autoscaler.cli.screen.drawing import bar, column, fitted, percent
from autoscaler.cli.screen.sights import Fleet, Group, Sight
from autoscaler.shell.configuration.durations import format_age

# From so many cells on there is room for bars, and for names and sizes in full.
WIDE, MEDIUM, NARROW = 110, 76, 44
# Lower screens have no details of the chosen group.
LOW = 14
MOST_NEEDS = 3
# Cells of a decision, and the fewest that are worth it for what is missing.
DECISION, LEAST_REST = 24, 16
STEP = 4
_MARKS = {0: "  ", 1: "  ", 2: "! ", 3: "!!"}
_STYLES = {0: "", 1: "", 2: "yellow", 3: "bold red"}
_MODES = {"active": "", "observe": "cyan", "paused": "yellow"}


@frozen(kw_only=True)
class Scene:
    """What there is to see.

    Attributes:
        sight: The fleet; None: nothing is known yet.
        complaint: Why it is not what the daemon says now; empty: it is.
        title: Above everything: which deployment.
        place: Which group is chosen.
    """

    sight: Sight | None
    complaint: str = ""
    title: str = field(default="")
    place: int = 0


@frozen
class Drawn:
    """A screen.

    Attributes:
        lines: From the top.
        rows: How many groups it shows at once.
    """

    lines: tuple[Text, ...]
    rows: int = 1


def draw(scene: Scene, size: ConsoleDimensions) -> Drawn:
    """Return a screen of *size*; it may have fewer lines."""
    lines = [_title(scene, size.width)]
    if scene.complaint:
        lines.append(Text(scene.complaint, style="bold yellow"))
    rows = 1
    if scene.sight is not None:
        fleet = scene.sight.fleet
        most = min(MOST_NEEDS, max(0, size.height // 5 - 1))
        lines += [Text(summarise(fleet)), *_needs(fleet, most)]
        if size.height >= LOW:
            lines.append(Text())
        rest = ConsoleDimensions(size.width, size.height - len(lines))
        details = _details(scene, scene.sight.groups, rest)
        rows = max(1, rest.height - 1 - len(details))
        lines += [*_groups(scene, scene.sight.groups, size.width, rows), *details]
    cut = tuple(fitted(line, size.width) for line in lines[: size.height])
    return Drawn(cut, rows)


def _title(scene: Scene, width: int) -> Text:
    left = Text(scene.title, style="bold")
    if scene.sight is None:
        return left
    clock = f"{scene.sight.at:%H:%M:%S}"
    room = width - len(clock) - 1
    if room < 1:
        return left
    return Text.assemble(fitted(left, room), " ", (clock, "dim"))


def summarise(fleet: Fleet) -> str:
    """Return *fleet* on a line."""
    up = sum(stream.up for stream in fleet.streams)
    words = "" if fleet.mode in {None, "active"} else f", all groups {fleet.mode}"
    return (
        f"{_counted(fleet.hosts, 'host')}, {up} of "
        f"{_counted(len(fleet.streams), 'stream')} up, "
        f"{_counted(fleet.groups, 'group')}, "
        f"{_counted(fleet.members, 'member')}{words}"
    )


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _needs(fleet: Fleet, most: int) -> Iterator[Text]:
    style = _STYLES[min(max(fleet.need, 0), 3)]
    if not fleet.needs:
        yield Text("nothing needs a person", style="dim")
        return
    has_more = len(fleet.needs) > most > 1
    shown = fleet.needs[: most - has_more]
    for need in shown:
        yield Text(f"! {need}", style=style)
    if has_more:
        yield Text(f"! and {len(fleet.needs) - len(shown)} more", style=style)


def _groups(
    scene: Scene, groups: tuple[Group, ...], width: int, rows: int
) -> Iterator[Text]:
    if not groups:
        yield Text("there is no group", style="dim")
        return
    longest = (
        max(cell_len(group.group) for group in groups),
        max(cell_len(describe_decision(group)) for group in groups),
    )
    columns = _Columns.of(width, *longest)
    yield columns.header()
    first = _first(scene.place, len(groups), rows)
    for place, group in enumerate(groups[first : first + rows], start=first):
        yield columns.row(group, is_chosen=place == scene.place)


def _details(
    scene: Scene, groups: tuple[Group, ...], size: ConsoleDimensions
) -> list[Text]:
    """Return what is told of the chosen group, in at most half of *size*."""
    if size.height < LOW - 4 or not groups:
        return []
    most = max(size.height // 2, size.height - len(groups) - 1)
    group = groups[min(scene.place, len(groups) - 1)]
    rule = Text(f"─ {group.group} ".ljust(size.width, "─"), style="dim")
    return [rule, *describe_group(group, ConsoleDimensions(size.width, most - 1))]


def _first(place: int, count: int, room: int) -> int:
    """Return the first row that is shown: whole pages, so that rows stay."""
    return min(place // room * room, max(0, count - room))


@frozen
class _Columns:
    """How wide the columns are; 0: they are left out."""

    group: int
    mode: int
    sizes: int
    usage: int
    bar: int
    decision: int
    rest: int

    @classmethod
    def of(cls, width: int, name: int, decision: int) -> "_Columns":
        """Return those for a screen of *width* cells.

        Arguments:
            width: Of the screen.
            name: Of the longest name of a group.
            decision: Of the longest decision.
        """
        most = 34 if width >= WIDE else 24 if width >= MEDIUM else 20
        group = min(name, most, max(4, width // 2))
        mode = 8 if width >= MEDIUM else 0
        sizes = 13 if width >= MEDIUM else 7 if width >= NARROW else 0
        usage = 5 if width >= NARROW else 0
        cells = 20 if width >= WIDE else 10 if width >= MEDIUM else 0
        taken = 3 + sum(each + 1 for each in (group, mode, sizes, usage, cells) if each)
        left = max(0, width - taken)
        # Where there is room, what is missing begins beside the decision; not
        # at another place whenever an age gets one digit more.
        most = min(DECISION, math.ceil(decision / STEP) * STEP)
        decision = most if left > most + LEAST_REST else left
        rest = max(0, left - decision - 1)
        return cls(group, mode, sizes, usage, cells, decision, rest)

    def header(self) -> Text:
        """Return the names of the columns."""
        sizes = "wants/can/has" if self.sizes > 7 else "w/c/h"  # noqa: PLR2004 - fits
        cells = (
            column("group", self.group),
            column("mode", self.mode),
            column(sizes, self.sizes),
            column(" load", self.usage),
            column("", self.bar),
            column("decision", self.decision),
            column("what is missing", self.rest),
        )
        return Text.assemble("   ", self._joined(cells), style="dim")

    def row(self, group: Group, *, is_chosen: bool) -> Text:
        """Return the line of *group*."""
        style = _STYLES[min(max(group.need, 0), 3)]
        mark = _MARKS[min(max(group.need, 0), 3)]
        thresholds, load = group.thresholds, group.load_percent
        marks = (thresholds.down, thresholds.up)
        cells = (
            column(group.group, self.group, style),
            column(group.mode, self.mode, _MODES.get(group.mode, "")),
            column(describe_sizes(group), self.sizes),
            column(percent(load), self.usage),
            bar(load, marks, _colour(group), self.bar) if self.bar else Text(),
            column(describe_decision(group), self.decision, style or _acting(group)),
            column("" if group.flip is None else group.flip.told, self.rest),
        )
        line = Text.assemble(
            (">" if is_chosen else " ", "bold"), (mark, style), self._joined(cells)
        )
        if is_chosen:
            line.stylize("reverse", 0, 3 + self.group)
        return line

    def _joined(self, cells: tuple[Text, ...]) -> Text:
        return Text(" ").join(cell for cell in cells if cell.plain)


def describe_sizes(group: Group) -> str:
    """Return how many clones are wanted, can be, and are there."""
    sizes = group.sizes
    if sizes is None:
        return "-"
    wants = "?" if sizes.wants is None else str(sizes.wants)
    return f"{wants}/{sizes.can}/{sizes.has}"


def _acting(group: Group) -> str:
    is_held = group.decision is None or group.decision.outcome == "hold"
    return "" if is_held else "bold green"


def _colour(group: Group) -> str:
    load, thresholds = group.load_percent, group.thresholds
    if load is None:
        return ""
    if load > thresholds.up:
        return "red"
    return "blue" if load < thresholds.down else "green"


def describe_decision(group: Group) -> str:
    """Return what was decided, in a word or two, and for how long."""
    decision = group.decision
    if decision is None:
        return "nothing decided yet"
    reason = decision.reason.replace("_", " ")
    what = reason if decision.outcome == "hold" else f"{decision.outcome}: {reason}"
    return f"{what} {format_age(decision.age_s)}"
