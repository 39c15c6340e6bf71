"""What a process that holds keys does so that they stay in its memory.

Keys are read from the operator's files and are written nowhere; a core dump
would write them all, and whoever runs as the same user could read them from a
process that may be looked at.
"""

import ctypes
import resource
import sys

# linux/prctl.h
_PR_SET_DUMPABLE = 4


def keep_memory_private() -> None:
    """Let nothing be dumped of this process, and no other process look at it.

    It holds for the limit's part in processes that it starts, too.  Elsewhere
    than on Linux the limit is all there is.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # The limit doesn't stop dumps that are piped to a program.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
