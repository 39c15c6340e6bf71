"""Events, one line each, to standard error.

Laws: what comes from hosts is escaped and bounded; a repeated warning, and what
is tried again, is written once a minute, with the number of those left out;
nothing here ever fails because nobody reads it; keys and images are never
fields.
"""

import contextlib
import math
import os
import re
import sys
from collections.abc import Callable, Mapping
from typing import Any, Literal, TextIO, TypeAlias

import structlog
import trio
from attrs import define, evolve, field

from albatross_client.texts import clean
from autoscaler.shell.events import EVENTS, LEVELS, Level
from autoscaler.shell.journald import PRIORITIES, Journal, is_journal, write_entry

Field: TypeAlias = str | int | float | bool | None
Sink: TypeAlias = Callable[[Level, str, Mapping[str, Field]], None]
Listener: TypeAlias = Callable[[str, Mapping[str, Field]], None]

Format = Literal["auto", "logfmt", "json", "journal"]
FORMATS: tuple[Format, ...] = ("auto", "logfmt", "json", "journal")
REPEAT_S = 60.0
# Of different warnings within a minute; beyond it the oldest may repeat.
MOST_REMEMBERED = 1000
_FIRST = ["timestamp", "level", "event"]
# They tell more of what is the same warning without them.
_DETAILS = frozenset({"doing", "traceback"})


@define
class _Repeat:
    """A warning, or what is tried again, that was written.

    Attributes:
        written: When.
        level: Its level.
        left_out: How many like it came since.
        event: Its name.
        fields: Of the newest.
    """

    written: float
    level: Level
    event: str
    fields: Mapping[str, Field]
    left_out: int = 0


@define
class Log:
    """Writes events to *sink*.

    Attributes:
        sink: Takes level, name and fields of one line.
        now: Monotonic seconds.
        listener: Told of every event, those included that are no new line.
    """

    sink: Sink
    now: Callable[[], float] = trio.current_time
    listener: Listener = lambda _name, _fields: None
    _repeats: dict[tuple[object, ...], _Repeat] = field(factory=dict, init=False)

    def event(self, name: str, /, **fields: Field) -> None:
        """Write *name* at the level that it usually has."""
        self._take(EVENTS[name].level, name, fields)

    def debug(self, name: str, /, **fields: Field) -> None:
        """Write what happens all the time."""
        self._take("debug", name, fields)

    def info(self, name: str, /, **fields: Field) -> None:
        """Write what changes."""
        self._take("info", name, fields)

    def warning(self, name: str, /, **fields: Field) -> None:
        """Write that a guard is engaged or data is lost, once a minute."""
        self._take("warning", name, fields)

    def error(self, name: str, /, **fields: Field) -> None:
        """Write that something is given up."""
        self._take("error", name, fields)

    def _take(self, level: Level, name: str, fields: Mapping[str, Field]) -> None:
        fields = {key: _presentable(value) for key, value in fields.items()}
        self.listener(name, fields)
        now = self.now()
        self._catch_up(now)
        known = EVENTS.get(name)
        if level != "warning" and not (known and known.is_tried_again):
            self.sink(level, name, fields)
            return
        kind = _kind(name, fields)
        repeat = self._repeats.get(kind)
        if repeat is not None:
            repeat.left_out += 1
            repeat.fields = fields
            return
        self.sink(level, name, fields)
        self._repeats[kind] = _Repeat(now, level, name, fields)
        if len(self._repeats) > MOST_REMEMBERED:
            self._repeats.pop(next(iter(self._repeats)))

    def _catch_up(self, now: float) -> None:
        """Write what was left out and is due; the oldest comes first."""
        while self._repeats:
            kind, repeat = next(iter(self._repeats.items()))
            if now - repeat.written < REPEAT_S:
                return
            del self._repeats[kind]
            if repeat.left_out:
                fields = {**repeat.fields, "repeated": repeat.left_out}
                self.sink(repeat.level, repeat.event, fields)
                self._repeats[kind] = evolve(repeat, written=now, left_out=0)


def configure(
    format: Format = "logfmt",  # noqa: A002 - what the option is called
    level: Level = "info",
    file: TextIO | None = None,
    journal: Journal | None = None,
) -> Log:
    """Return a log that writes lines of *format* from *level* on.

    Arguments:
        format: ``logfmt`` for people, ``json`` for programs, ``journal`` for
            systemd; ``auto``: as it fits where the lines go.
        level: What is less is left out.
        file: Where to; None: standard error.
        journal: Where entries go; None: to the journal of this machine.
    """
    into = file or sys.stderr
    is_journal = _is_journal(into)
    if format == "journal" or (format == "auto" and is_journal):
        sink = _to_journal(journal or Journal(), _Lines(into), is_journal=is_journal)
        return Log(_from(level, sink))
    renderer = (
        structlog.processors.JSONRenderer()
        if format == "json"
        else structlog.processors.LogfmtRenderer(
            key_order=_FIRST, drop_missing=True, bool_as_flag=False
        )
    )
    logger = structlog.wrap_logger(
        _Lines(into),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
    )

    def write(level: Level, name: str, fields: Mapping[str, Field]) -> None:
        getattr(logger, level)(name, **fields)

    return Log(write)


def _is_journal(file: TextIO) -> bool:
    try:
        return is_journal(file.fileno(), os.environ.get("JOURNAL_STREAM"))
    except (OSError, ValueError):
        return False


def _from(least: Level, sink: Sink) -> Sink:
    """Return *sink* without what is less than *least*."""
    taken = LEVELS[LEVELS.index(least) :]

    def write(level: Level, name: str, fields: Mapping[str, Field]) -> None:
        if level in taken:
            sink(level, name, fields)

    return write


def _to_journal(journal: Journal, lines: "_Lines", *, is_journal: bool) -> Sink:
    """Return what gives entries to *journal*, and else writes *lines*.

    If what *lines* go to *is_journal* too, they say how urgent they are.
    """
    render = structlog.processors.LogfmtRenderer(
        key_order=["event"], drop_missing=True, bool_as_flag=False
    )

    def write(level: Level, name: str, fields: Mapping[str, Field]) -> None:
        if journal.dropped and not journal.is_behind:
            dropped, journal.dropped = journal.dropped, 0
            write("warning", "lines_dropped", {"dropped": dropped})
        message = render(None, level, {"event": name, **fields})
        if not journal.send(write_entry(level, name, fields, message)):
            # As sd-daemon(3) has it: how urgent the rest of the line is.
            urgency = f"<{PRIORITIES[level]}>" if is_journal else f"level={level} "
            lines.write(f"{urgency}{message}")

    return write


@define
class _Lines:
    """What structlog writes to: one line a call, come what may."""

    file: TextIO

    def write(self, line: str) -> None:
        # A log that nobody reads any more must not end the daemon, and there
        # is nowhere else to say so.
        with contextlib.suppress(OSError, ValueError):
            self.file.write(f"{line}\n")
            self.file.flush()

    debug = info = warning = error = write


def _presentable(value: Any) -> Field:  # noqa: ANN401 - whatever a caller hands over
    match value:
        case None | bool() | int():
            return value
        case float():
            # JSON has no word for what is not finite.
            return round(value, 6) if math.isfinite(value) else str(value)
        case bytes():
            return f"<{len(value)} bytes>"
        case _:
            return clean(str(value))


def _kind(name: str, fields: Mapping[str, Field]) -> tuple[object, ...]:
    """Return what is the same for a warning and its repetitions.

    Measured numbers differ from one to the next, also those within a text.
    """
    said = (
        (key, re.sub("[0-9]+", "#", str(value)) if key == "error" else value)
        for key, value in fields.items()
        if isinstance(value, str | int) and key not in _DETAILS
    )
    return (name, *said)
