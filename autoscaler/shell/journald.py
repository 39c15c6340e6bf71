"""The journal of systemd: entries with fields, in its native protocol.

Laws: nothing here waits: what the journal can't take now is sent before the
next entry, and of what it doesn't take for long the oldest is dropped and
counted.  What it can't be given at all, its caller writes elsewhere.
"""

import errno
import os
import socket
import struct
from collections import deque
from collections.abc import Mapping

from attrs import define, field

from autoscaler.shell.events import Level

SOCKET = "/run/systemd/journal/socket"
# As in syslog(3): err, warning, info, debug.
PRIORITIES: Mapping[Level, int] = {"error": 3, "warning": 4, "info": 6, "debug": 7}
IDENTIFIER = "autoscaler"
# Of entries that wait: more than a minute of a daemon that has much to say.
MOST_WAITING = 1000

# The journal's queue is full.
_LATER = frozenset({errno.EAGAIN, errno.ENOBUFS})


def is_journal(descriptor: int, stream: str | None) -> bool:
    """Tell whether what is written to *descriptor* goes to the journal.

    Arguments:
        descriptor: Of a file that is open.
        stream: What `JOURNAL_STREAM` says: device and inode of the journal.
    """
    try:
        status = os.fstat(descriptor)
    except OSError:
        return False
    return stream == f"{status.st_dev}:{status.st_ino}"


def write_entry(
    level: Level, event: str, fields: Mapping[str, object], message: str
) -> bytes:
    """Return an entry as the journal takes it.

    Arguments:
        level: How urgent it is.
        event: Its name.
        fields: Each becomes ``AUTOSCALER_<NAME>``.
        message: What people read.
    """
    own = {"event": event, **{k: v for k, v in fields.items() if v is not None}}
    pairs = {
        "MESSAGE": message,
        "PRIORITY": PRIORITIES[level],
        "SYSLOG_IDENTIFIER": IDENTIFIER,
        **{f"AUTOSCALER_{name.upper()}": value for name, value in own.items()},
    }
    return b"".join(_write_field(name, value) for name, value in pairs.items())


def _write_field(name: str, value: object) -> bytes:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    octets = text.encode("utf-8", "backslashreplace")
    if b"\n" not in octets:
        return b"%s=%s\n" % (name.encode("ascii"), octets)
    # systemd.io/JOURNAL_NATIVE_PROTOCOL - "size of the field data as
    # little-endian 64-bit unsigned integer", for what has line ends.
    return b"%s\n%s%s\n" % (
        name.encode("ascii"),
        struct.pack("<Q", len(octets)),
        octets,
    )


@define
class Journal:
    """The socket of a journal.

    Attributes:
        path: Where it listens.
        dropped: How many entries were dropped, and not told yet.
    """

    path: str = SOCKET
    dropped: int = field(default=0, init=False)
    _waiting: deque[bytes] = field(factory=deque, init=False)
    _socket: socket.socket = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Open a socket that never waits; nothing is sent yet."""
        kind = socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
        self._socket = socket.socket(socket.AF_UNIX, kind)

    @property
    def is_behind(self) -> bool:
        """Whether entries wait."""
        return bool(self._waiting)

    def close(self) -> None:
        """Send no more."""
        self._socket.close()

    def send(self, entry: bytes) -> bool:
        """Send *entry* after all that wait; tell whether it will get there."""
        while self._waiting:
            error = self._try(self._waiting[0])
            if error in _LATER:
                self._put_off(entry)
                return True
            # What can't be sent at all is not worth another try.
            self._waiting.popleft()
            self.dropped += error != 0
        error = self._try(entry)
        if error in _LATER:
            self._put_off(entry)
            return True
        return error == 0

    def _put_off(self, entry: bytes) -> None:
        self._waiting.append(entry)
        if len(self._waiting) > MOST_WAITING:
            self._waiting.popleft()
            self.dropped += 1

    def _try(self, entry: bytes) -> int:
        """Return the number of the error, 0 for none."""
        try:
            # Not connected: a journal that was restarted is found again.
            self._socket.sendto(entry, self.path)
        except OSError as error:
            return error.errno or errno.EIO
        return 0
