"""What is said to HAProxy's runtime API, and how its yes and no are told apart.

Commands are lines of text to be sent over a connection of their own; HAProxy
answers and closes it.  Laws: a name or word that HAProxy could take for more
than one is never written; a refusal is one of a few, whatever its text.

Facts of HAProxy 2.6, each seen at a running one (management.txt says less):

- Commands on one line are split at ``;`` and at line ends, and all are carried
  out, whatever became of the one before.
- A change that is done has an empty answer or a sentence, like one that is
  refused.  After ``set severity-output number`` a sentence begins with its
  severity in brackets, 3 and below for a refusal.
- ``add server`` makes a server in maintenance, its checks off.  Until
  ``enable health`` it counts as healthy for ever, and after it until the first
  check has failed.  That check comes one ``fastinter`` later, never at once;
  ``inter`` counts only while all of the last ``fall`` checks have passed, and
  ``downinter`` while it has failed.
- A server in maintenance isn't checked.  Back from there it counts as healthy
  until ``fall`` checks have failed, and shows the result of the last check
  from before: a standby that died in maintenance gets requests.  In drain it
  is checked like any other, gets no new work, and backup servers serve where
  all others drain: that is where a standby belongs.
- ``del server`` deletes servers of the configuration file just as well.  It
  wants maintenance and no request in flight; idle connections don't matter.
- Names are not resolved for servers that are added at run time.
"""

import enum
import re

from attrs import frozen

from albatross_client.texts import clean
from autoscaler.core.backend import Place

# cfgparse.c:invalid_char - what names may have in a configuration file.
_NAME = re.compile(r"[A-Za-z0-9_.:-]{1,200}")
# No blank, `;`, `\`, `<`, quote or `#`: cli.c gives each a meaning of its own.
_WORD = re.compile(r"[A-Za-z0-9_.:,/@%=+*~^|!?&()\[\]{}-]{1,200}")
_SEVERITY = re.compile(r"^\[([0-7])\]: ?(.*)$", re.MULTILINE)
# syslog(3) - 0 to 3 are errors; 4 warning to 6 info come with what is done.
_LEAST_DONE = 4
MOST_WEIGHT = 256
# Somebody waits for one that boots, and one that may have died gets requests:
# with 9 checks that fail it is given up as fast as with 3 rare ones.
DOUBTS = 4
SEPARATOR = ";"


class Refusal(enum.Enum):
    """Why HAProxy did not do what it was told."""

    FORBIDDEN = "forbidden"
    NO_BACKEND = "no_backend"
    NO_SERVER = "no_server"
    NAME_TAKEN = "name_taken"
    STATIC_BALANCE = "static_balance"
    IN_USE = "in_use"
    UNKNOWN_COMMAND = "unknown_command"
    OTHER = "other"


@frozen
class Refused:
    """HAProxy said no.

    Attributes:
        refusal: Which of the few it was.
        text: In its own words.
    """

    refusal: Refusal
    text: str


class AnswerError(Exception):
    """An answer is none of HAProxy's."""


def _require(pattern: re.Pattern[str], text: str, kind: str) -> None:
    if not pattern.fullmatch(text):
        allowed = "letters, digits and . : _ -" if pattern is _NAME else "no such word"
        msg = f"{clean(repr(text))} can't be {kind} of HAProxy's: {allowed}"
        raise ValueError(msg)


@frozen
class Target:
    """A server of a backend, as commands name it.

    Raises:
        ValueError: HAProxy has no such names.
    """

    backend: str
    server: str

    def __attrs_post_init__(self) -> None:
        check_backend_name(self.backend)
        _require(_NAME, self.server, "a server name")

    def __str__(self) -> str:
        return f"{self.backend}/{self.server}"


@frozen(kw_only=True)
class ServerOptions:
    """How servers are added; they inherit nothing of ``default-server``.

    What is checked (a connection, a request) is the backend's, by its
    ``option httpchk`` or the like.

    Attributes:
        check_every_ms: Pause between checks of a healthy server.  One that
            boots, or may have died, is checked `DOUBTS` times as often.
        rise: Checks in a row that make a failed server a healthy one.
        fall: Checks in a row that make a healthy server a failed one; with
            less than 2 a check before maintenance looks like one after it.
        slow_start_ms: How long a server's share grows once it is ready.
        limit: Most requests at once, the others wait; None: no limit.
        words: More of what ``add server`` takes, such as ``ssl``.

    Raises:
        ValueError: HAProxy would refuse it.
    """

    check_every_ms: int = 200
    rise: int = 1
    fall: int = 9
    slow_start_ms: int = 0
    limit: int | None = None
    words: tuple[str, ...] = ()

    def __attrs_post_init__(self) -> None:
        if self.check_every_ms < 1 or self.rise < 1 or self.slow_start_ms < 0:
            msg = "check_every_ms and rise must be at least 1, slow_start_ms 0"
            raise ValueError(msg)
        if self.fall < 2:  # noqa: PLR2004 - its docstring says why
            msg = f"fall must be at least 2, and is {self.fall}"
            raise ValueError(msg)
        if self.limit is not None and self.limit < 1:
            msg = f"limit must be at least 1, and is {self.limit}"
            raise ValueError(msg)
        for word in self.words:
            _require(_WORD, word, "a word of `add server`")

    def __str__(self) -> str:
        doubtful_ms = max(1, self.check_every_ms // DOUBTS)
        parts = [
            f"check inter {self.check_every_ms}ms",
            f"fastinter {doubtful_ms}ms downinter {doubtful_ms}ms",
            f"rise {self.rise} fall {self.fall}",
            f"slowstart {self.slow_start_ms}ms" if self.slow_start_ms else "",
            "" if self.limit is None else f"maxconn {self.limit}",
            *self.words,
        ]
        return " ".join(filter(None, parts))


def is_name(text: str) -> bool:
    """Return whether a backend or a server of HAProxy may be called so."""
    return _NAME.fullmatch(text) is not None


def check_backend_name(backend: str) -> None:
    """Complain if HAProxy can have no backend of this name.

    Raises:
        ValueError: It can't.
    """
    _require(_NAME, backend, "a backend name")


def look_at(backend: str) -> str:
    """Return the line whose answer `haproxy_answers.read_backend` reads."""
    check_backend_name(backend)
    # 6: the backend (2) and its servers (4).
    commands = (
        "show info",
        f"show servers state {backend}",
        f"show stat {backend} 6 -1",
    )
    return SEPARATOR.join(commands)


def add_server(
    target: Target, place: Place, options: ServerOptions, weight: int | None = None
) -> str:
    """Return the line that adds a server, in maintenance and unchecked.

    Nothing may follow it on its line: if the name is somebody else's, that
    would be done to theirs.
    """
    share = "" if weight is None else f" weight {_weight(weight)}"
    return _change(f"add server {target} {place} {options}{share}")


def probe_server(target: Target) -> str:
    """Return the line that adds a server which never leaves maintenance."""
    # RFC 863 - the discard service, which next to nobody runs.
    return _change(f"add server {target} 127.0.0.1:9")


def drain(target: Target) -> str:
    """Return the line that lets a server end its work, checked all the time."""
    return _change(f"set server {target} state drain", f"enable health {target}")


def make_ready(target: Target) -> str:
    """Return the line that lets a server have work."""
    return _change(f"set server {target} state ready")


def rest(target: Target) -> str:
    """Return the line that puts a server into maintenance."""
    return _change(f"set server {target} state maint")


def weigh(target: Target, weight: int) -> str:
    """Return the line that sets a server's share, 0 to 256."""
    return _change(f"set server {target} weight {_weight(weight)}")


def remove(target: Target) -> str:
    """Return the line that deletes a server in maintenance."""
    return _change(f"del server {target}")


def read_change(answer: str) -> Refused | None:
    """Return why a change was refused, None: it was done.

    Raises:
        AnswerError: It tells neither.
    """
    said = [(int(level), text) for level, text in _SEVERITY.findall(answer)]
    for level, text in said:
        # An unknown command is told as news (6), not as an error.
        if level < _LEAST_DONE or text.startswith("Unknown command"):
            return refused(text)
    if answer.strip() and not said:
        msg = f"HAProxy answered {clean(answer.strip(), 100)!r} to a change"
        raise AnswerError(msg)
    return None


def refused(text: str) -> Refused:
    """Return the refusal that HAProxy's *text* is."""
    found = (refusal for words, refusal in _REFUSALS if words in text.lower())
    return Refused(next(found, Refusal.OTHER), clean(text.strip(), 200))


# cli.c, proxy.c, server.c, stats.c of HAProxy 2.6
_REFUSALS = (
    ("permission denied", Refusal.FORBIDDEN),
    ("no such backend", Refusal.NO_BACKEND),
    ("can't find backend", Refusal.NO_BACKEND),
    ("no such proxy", Refusal.NO_BACKEND),
    ("no such server", Refusal.NO_SERVER),
    ("already exists a server", Refusal.NAME_TAKEN),
    ("must use a dynamic load balancing", Refusal.STATIC_BALANCE),
    ("still has connections", Refusal.IN_USE),
    ("only servers in maintenance mode", Refusal.IN_USE),
    ("unknown command", Refusal.UNKNOWN_COMMAND),
)


def _change(*commands: str) -> str:
    return SEPARATOR.join(("set severity-output number", *commands))


def _weight(weight: int) -> int:
    if not 0 <= weight <= MOST_WEIGHT:
        msg = f"{weight} is no weight: 0 to {MOST_WEIGHT} are"
        raise ValueError(msg)
    return weight
