"""One group in detail: why, how many, what is missing, what holds, who works.

Laws: no I/O; what says why comes first, so that a low screen has it.
"""

from collections.abc import Iterator
from itertools import dropwhile

from rich.cells import cell_len
from rich.console import ConsoleDimensions
from rich.text import Text

from autoscaler.cli.screen.drawing import (
    bar,
    colour_of,
    column,
    course,
    percent,
    wrapped,
)
from autoscaler.cli.screen.sights import Group, Guard, Member, Said
from autoscaler.shell.configuration.durations import format_age

_LABEL = 9
_BAR = 20
# A sentence that is longer is in `explain`.
_MOST_LINES = 3
_HOUR = 60


def describe_group(group: Group, size: ConsoleDimensions) -> list[Text]:
    """Return *group* on as many lines as *size* has, or fewer."""
    return list(_lines(group, size.width))[: size.height]


def _lines(group: Group, width: int) -> Iterator[Text]:
    for label, text, style in _sentences(group):
        yield from _told(label, text, width, style)
    if any(each is not None for each in group.hour_percent):
        yield _hour(group, width)
    for member in group.members:
        yield _member(group, member, width)


def _sentences(group: Group) -> Iterator[tuple[str, str, str]]:
    """Return what is said of *group*: a label, a sentence, how it looks."""
    decision, flip, sizes = group.decision, group.flip, group.sizes
    why = "nothing was decided yet" if decision is None else decision.why
    yield "why", why, "bold"
    if flip is not None:
        yield "missing", flip.told, ""
    if sizes is not None:
        yield "size", sizes.told, ""
    # What has been said above is not said again.
    told = {why, sizes and sizes.told}
    yield from (("needs", need, "yellow") for need in group.needs if need not in told)
    if group.said is not None:
        yield "said", _word(group.said), ""
    for action in group.actions:
        age = "" if action.age_s is None else f", {format_age(action.age_s)} so far"
        yield "does", f"{action.what}{age}", ""
    # Those in the way of growing are no news to a group that may shrink.
    sides = {"all"} if flip is None else {"all", flip.aim}
    guards = [guard for guard in group.guards if guard.of in sides]
    if guards:
        yield "holds", ", ".join(map(_guard, guards)), ""


def _told(label: str, text: str, width: int, style: str = "") -> Iterator[Text]:
    lines = wrapped(text, width - _LABEL, _MOST_LINES)
    for place, line in enumerate(lines):
        line.stylize(style)
        yield Text.assemble(column("" if place else label, _LABEL, "dim"), line)


def _word(said: Said) -> str:
    verb = "paused" if said.mode == "paused" else f"set to {said.mode}"
    since = "" if said.age_s is None else f" {format_age(said.age_s)} ago"
    return f"{verb} by {said.user or 'an operator'}{since}"


def _guard(guard: Guard) -> str:
    ages = [] if guard.age_s < 1 else [f"for {format_age(guard.age_s)}"]
    if guard.left_s is not None:
        ages.append(f"{guard.left_s:.0f} s left")
    name = guard.name.replace("_", " ")
    return f"{name} ({', '.join(ages)})" if ages else name


def _hour(group: Group, width: int) -> Text:
    limits, hour = group.thresholds, group.hour_percent
    known = list(dropwhile(lambda mean: mean is None, hour))
    columns = course(known, limits.down, limits.up, min(_HOUR, max(0, width - _LABEL)))
    line = Text.assemble(column("hour", _LABEL, "dim"), columns)
    legend = f"  up > {limits.up:g} %, down < {limits.down:g} %"
    if line.cell_len + len(legend) <= width:
        line.append(legend, "dim")
    return line


def _member(group: Group, member: Member, width: int) -> Text:
    limits, counts_as = group.thresholds, member.counts_as
    style = "" if counts_as is None else colour_of(counts_as)
    words = "-" if counts_as is None else counts_as.value
    name = min(max(cell_len(each.name) for each in group.members), max(8, width // 3))
    cells = min(_BAR, max(0, width - _LABEL - name - 20))
    return Text.assemble(
        column("", _LABEL),
        column(member.name, name),
        " ",
        column(percent(member.usage_percent), 5),
        " ",
        bar(member.usage_percent, (limits.down, limits.up), style, cells)
        if cells
        else Text(),
        " ",
        (words, style),
    )
