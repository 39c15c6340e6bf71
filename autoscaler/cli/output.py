"""Printing: as JSON for programs, as tables for people.

Laws: nothing that a host has said reaches a terminal as control characters;
lines are of bounded width; on a terminal tables have rules and are as narrow as
it is, in pipes and files they are plain aligned text.
"""

import json
import os
import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence

from albatross_client.texts import as_unicode, clean
from autoscaler.cli.terminal import speaks_unicode

MOST_WIDE = 120
WIDEST_CELL = 72
NARROWEST_LAST = 40
GAP = "  "


def print_json(value: object) -> None:
    """Print *value* as indented JSON, ASCII alone."""
    print(json.dumps(as_unicode(value), indent=2))


def complain(text: str) -> None:
    """Print each line of *text* to standard error."""
    for line in text.splitlines():
        print(clean(line), file=sys.stderr)


def print_prose(paragraphs: Iterable[str]) -> None:
    """Print *paragraphs*, on a terminal with no word broken at its edge."""
    for paragraph in paragraphs:
        lines = [paragraph]
        if sys.stdout.isatty():
            width = shutil.get_terminal_size().columns
            lines = textwrap.wrap(
                paragraph, width, break_long_words=False, break_on_hyphens=False
            )
        print("\n".join(lines))


def print_table(
    title: str, header: Sequence[str], rows: Iterable[Sequence[str]]
) -> None:
    """Print *rows* below *header*, nothing where there are none."""
    lines = [
        [*(clean(cell, WIDEST_CELL) for cell in row[:-1]), clean(row[-1])]
        for row in rows
    ]
    if not lines:
        return
    if sys.stdout.isatty():
        _print_rich(title, header, lines)
    else:
        print(f"{title}:\n{plain_table(header, lines)}\n")


def plain_table(
    header: Sequence[str], rows: Sequence[Sequence[str]], width: int = MOST_WIDE
) -> str:
    """Return *rows* below *header* as aligned columns, the last one wrapped."""
    lines = [[word.upper() for word in header], *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    left = sum(widths[:-1]) + len(GAP) * (len(header) - 1)
    rest = max(min(NARROWEST_LAST, width // 3), width - left)
    text = []
    for line in lines:
        start = GAP.join(
            cell.ljust(width) for cell, width in zip(line, widths[:-1], strict=False)
        )
        # Names have hyphens.
        for part in textwrap.wrap(line[-1], rest, break_on_hyphens=False) or [""]:
            text.append(f"{start.ljust(left)}{part}".rstrip())
            start = ""
    return "\n".join(text)


def _print_rich(
    title: str, header: Sequence[str], rows: Sequence[Sequence[str]]
) -> None:
    # 0.1 s that pipes need not wait for.
    from rich.console import Console  # noqa: PLC0415 - see above
    from rich.text import Text  # noqa: PLC0415 - see above

    from autoscaler.cli.ruled import ruled  # noqa: PLC0415 - see above

    console = Console()
    width = min(console.width, MOST_WIDE)
    rule = "─" if speaks_unicode(os.environ, sys.stdout.encoding) else "-"
    lines = ruled(header, rows, width, rule)
    for line in (Text(title, style="italic"), Text(), *lines):
        console.print(line, soft_wrap=True)
    print()
