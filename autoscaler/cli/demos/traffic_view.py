"""A live view of a group that is asked: requests, members, decision, events."""

from collections.abc import Iterable, Iterator, Sequence

from attrs import define, field, frozen
from rich.align import Align
from rich.console import ConsoleDimensions, RenderableType
from rich.console import Group as Rows
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from albatross_client.sandbox.visitors.tally import Tally
from autoscaler.cli.demos.blocks import EVENTS_SHOWN, Latest, why
from autoscaler.cli.demos.visits import NO_REQUESTS, milliseconds
from autoscaler.cli.screen.drawing import BAR_CELLS, bar, colour_of, percent
from autoscaler.core.backend import Backend, Duty, Health, Server
from autoscaler.core.decision import MemberClass, Standing
from autoscaler.core.group import Group

# Narrower terminals have shorter bars and more lines of reasons, lower ones
# fewer events.  Whatever there is to say, everything keeps its place.
NARROW = 100
MEMBER_LINES = 5
REASON_LINES = 3
FEWEST_EVENTS = 3
NUMBER_CELLS = 7
OTHER_LINES = 11
_STEPS = "▁▂▃▄▅▆▇█"
_COLOURS = {"ready": "green", "drain": "yellow", "down": "red"}


@frozen(kw_only=True)
class Sight:
    """What there is to see at one moment.

    Attributes:
        heading: What visitors do, and since when.
        group: The group.
        backend: What HAProxy told last; None: it doesn't answer.
        held: How many connections wait for a member.
        latest: What came of the requests of the last second.
        total: What came of all requests.
        course: Requests and members of each second so far.
    """

    heading: str
    group: Group
    backend: Backend | None = None
    held: int = 0
    latest: Tally = NO_REQUESTS
    total: Tally = NO_REQUESTS
    course: Sequence[tuple[int, int]] = ()


@define
class TrafficView:
    """What is on the screen.

    Attributes:
        title: Above everything.
        latest: The latest events.
    """

    title: str
    latest: Latest = field(factory=Latest)

    def render(self, sight: Sight, size: ConsoleDimensions) -> RenderableType:
        """Return the screen of *size* for *sight*."""
        cells = BAR_CELLS if size.width >= NARROW else BAR_CELLS // 2
        room = size.height - OTHER_LINES - MEMBER_LINES - REASON_LINES
        rows = [
            Text(sight.heading, style="bold"),
            _requests(sight, cells),
            Text(""),
            _at_least(MEMBER_LINES, _members(sight, cells)),
            _at_least(REASON_LINES + 1, _reason(sight.group)),
            self.latest.block(max(FEWEST_EVENTS, min(room, EVENTS_SHOWN))),
        ]
        return Panel(Rows(*rows), title=self.title, title_align="left")


def _at_least(lines: int, block: RenderableType) -> RenderableType:
    return Align(block, vertical="top", height=lines)


def _reason(group: Group) -> Text:
    return Text("") if group.decision is None else why(group.decision)


def _requests(sight: Sight, cells: int) -> RenderableType:
    rates = [rate for rate, _ in sight.course[-cells:]]
    sizes = [size for _, size in sight.course[-cells:]]
    latest, failed = sight.latest, sight.total.failed
    half, most = (milliseconds(latest, part) for part in (50, 95))
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(justify="right")
    table.add_column(justify="right", min_width=NUMBER_CELLS)
    table.add_column(no_wrap=True)
    table.add_row("requests/s", f"{latest.requests}", _course(rates, "cyan"))
    table.add_row("members", f"{len(sight.group.members)}", _course(sizes, "green"))
    table.add_row("held", _count(sight.held, "yellow"), "wait for a member")
    table.add_row("failed", _count(failed, "red"), f"of {sight.total.requests}")
    table.add_row("latency", half, f"p50, {most} p95")
    return table


def _count(number: int, style: str) -> Text:
    return Text(f"{number}", style=f"bold {style}" if number else "")


def _course(numbers: Sequence[int], style: str) -> Text:
    """Return *numbers* as columns of one line, the highest one full."""
    highest = max(numbers, default=0)
    return Text("".join(_column(n, highest) for n in numbers), style=style)


def _column(number: int, highest: int) -> str:
    return _STEPS[round(number * (len(_STEPS) - 1) / highest)] if number else " "


def _members(sight: Sight, cells: int) -> RenderableType:
    lines = list(_lineup(sight.group))
    if not lines:
        return Text(
            "no members: the group sleeps, and the activator waits for visitors",
            style="dim",
        )
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("member", "usage", "", "counts as", "in HAProxy", "sessions"):
        table.add_column(heading, justify="right" if heading == "sessions" else "left")
    servers = {} if sight.backend is None else sight.backend.servers
    for standing in lines:
        server = servers.get(standing.name.label or "")
        colour = colour_of(standing.counts_as)
        table.add_row(
            Text(str(standing.name)),
            bar(standing.usage, (), colour, cells),
            Text(percent(standing.usage)),
            Text(standing.counts_as.value, style=colour),
            *_serving(server),
        )
    return table


def _lineup(group: Group) -> Iterator[Standing]:
    """Return all members, those that are only decided too.

    The decision is that of the last tick: who came since is unknown to it.
    """
    told = () if group.decision is None else group.decision.load.standings
    known = {standing.name: standing for standing in told}
    names = [member.name for member in group.members]
    coming = [slot.name for slot in group.ledger.slots]
    for name in names:
        yield known.get(name, Standing(name, MemberClass.UNKNOWN))
    for name in coming:
        yield Standing(name, MemberClass.RESERVED)


def _serving(server: Server | None) -> Iterable[Text]:
    """Return what HAProxy tells of a member: its state, and its sessions."""
    if server is None:
        return (Text("-"), Text("-"))
    is_down = server.health is Health.FAILED and server.duty is not Duty.MAINT
    word = "down" if is_down else server.duty.value
    return (Text(word, style=_COLOURS.get(word, "")), Text(f"{server.sessions}"))
