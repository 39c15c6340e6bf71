"""What a check finds about who is told of events: executables, keys, URLs."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from autoscaler.cli.findings import Found, found_in_file
from autoscaler.core.lint import Severity
from autoscaler.shell.clock import wall_clock
from autoscaler.shell.configuration.notify_table import TABLE, NotifySettings, doubts
from autoscaler.shell.configuration.problems import titled
from autoscaler.shell.configuration.settings import Settings
from autoscaler.shell.notifying.opening import open_receivers


def found_in_notify(settings: Settings) -> tuple[Found, ...]:
    """Return what keeps those who want it from being told, and hints."""
    _, problems = open_receivers(settings, wall_clock)
    own = (
        found
        for number, each in enumerate(settings.notify, 1)
        for found in _found(
            each, f"{settings.path}: {titled(TABLE, number, each.name)}"
        )
    )
    return (*found_in_file(problems), *own)


def _found(notify: NotifySettings, place: str) -> Iterator[Found]:
    if notify.on_event is not None:
        complaint = _complaint(notify.on_event.absolute())
        if complaint is not None:
            yield Found(
                severity=Severity.ERROR, place=place, key="on_event", message=complaint
            )
    for key, message in doubts(notify):
        yield Found(severity=Severity.HINT, place=place, key=key, message=message)


def _complaint(path: Path) -> str | None:
    """Return what is wrong with an executable, None for nothing."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        return f"{path} can't be run: {error.strerror}"
    if not stat.S_ISREG(mode):
        return f"{path} is no regular file"
    if not os.access(path, os.X_OK):
        return f"{path} may not be run by this user: make it executable"
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        return f"{path} can be changed by others than its owner: chmod go-w it"
    return None
