"""Events, one line each, to standard error.

Laws: what comes from hosts is escaped and bounded; a repeated warning is
written once a minute, with the number of those left out; nothing here ever
fails because nobody reads it; keys and images are never fields.
"""

import contextlib
import math
import re
import sys
from collections.abc import Callable, Mapping
from typing import Any, Literal, TextIO, TypeAlias

import structlog
import trio
from attrs import define, field

from albatross_client.texts import clean
from autoscaler.shell.events import EVENTS, Level

Field: TypeAlias = str | int | float | bool | None
Sink: TypeAlias = Callable[[Level, str, Mapping[str, Field]], None]
Listener: TypeAlias = Callable[[str, Mapping[str, Field]], None]

Format = Literal["logfmt", "json"]
REPEAT_S = 60.0
# Of different warnings within a minute; beyond it the oldest may repeat.
MOST_REMEMBERED = 1000
_FIRST = ["timestamp", "level", "event"]


@define
class _Repeat:
    """A warning that was written.

    Attributes:
        written: When.
        left_out: How many like it came since.
        event: Its name.
        fields: Of the newest.
    """

    written: float
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
        if level != "warning":
            self.sink(level, name, fields)
            return
        kind = _kind(name, fields)
        repeat = self._repeats.get(kind)
        if repeat is not None:
            repeat.left_out += 1
            repeat.fields = fields
            return
        self.sink(level, name, fields)
        self._repeats[kind] = _Repeat(now, name, fields)
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
                self.sink("warning", repeat.event, fields)
                self._repeats[kind] = _Repeat(now, repeat.event, repeat.fields)


def configure(
    format: Format = "logfmt",  # noqa: A002 - what the option is called
    level: Level = "info",
    file: TextIO | None = None,
) -> Log:
    """Return a log that writes lines of *format* from *level* on.

    Arguments:
        format: ``logfmt`` for people, ``json`` for programs.
        level: What is less is left out.
        file: Where to; None: standard error.
    """
    renderer = (
        structlog.processors.JSONRenderer()
        if format == "json"
        else structlog.processors.LogfmtRenderer(
            key_order=_FIRST, drop_missing=True, bool_as_flag=False
        )
    )
    logger = structlog.wrap_logger(
        _Lines(file or sys.stderr),
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
        if isinstance(value, str | int)
    )
    return (name, *said)
