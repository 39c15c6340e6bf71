"""A core for whoever stands for another machine.

A real host shares no core with the daemon.  Left to itself, the kernel likes to
put a process onto the core of whoever has just sent it something, and then what
should be the host's work beside ours is measured as a part of ours.
"""

import contextlib
import os
from collections.abc import Iterator

# Neither macOS nor FreeBSD has it; there the figures hold what the kernel does.
_CAN_PIN = hasattr(os, "sched_setaffinity")


@contextlib.contextmanager
def apart(pid: int) -> Iterator[None]:
    """Let the process *pid* have a core of its own, and us all others."""
    ours = sorted(os.sched_getaffinity(0)) if _CAN_PIN else []
    if len(ours) < 2:
        yield
        return
    *left, last = ours
    os.sched_setaffinity(pid, {last})
    os.sched_setaffinity(0, left)
    try:
        yield
    finally:
        os.sched_setaffinity(0, ours)
