"""What HAProxy tells of itself and of a backend, read strictly.

Fields are found by the names in header lines: their order and number differ
between versions.  What is missing or no number is an `AnswerError`, never a 0.

Facts of HAProxy 2.6, each seen at a running one under HTTP/1.1 with keep-alive
and every `http-reuse`:

- ``scur`` of a server: requests from the moment it was chosen to the last byte
  of the answer; in mode tcp, connections.  Idle keep-alive connections, of
  clients and to servers, count nowhere.
- ``scur`` of the backend: the same of all servers, plus all that wait.
- ``qcur`` of the backend: requests that wait for any server; ``qcur`` of a
  server: those that wait for it alone (cookies).  Neither is in the other.
- ``stot``: requests that have begun, ``req_tot``: that have ended, those
  included that got a 503 after ``timeout queue``.  Mode tcp has no ``req_tot``.
- ``qtime``: mean wait of the last 1024 requests, those included that didn't
  wait.  It doesn't age: an hour later it is the same, so it tells something
  only while somebody waits.
- A reload begins all of it anew, in a new process; the old one ends what it
  works on, and is asked by nobody.
"""

import csv
import io
import re
from collections.abc import Mapping

from attrs import frozen

from albatross_client.texts import clean
from autoscaler.core.backend import Backend, Duty, Health, Server
from autoscaler.core.haproxy import AnswerError, Refusal, Refused, is_name, refused

# management.txt, 9.1, column `type`: 1 backend, 2 server.
_BACKEND, _SERVER = "1", "2"
# management.txt, 9.1, `check_status`; L7OKC: passed, and asks for no new work.
_PASSED = frozenset({"L4OK", "L6OK", "L7OK", "L7OKC"})
# server-t.h: SRV_ADMF_FDRAIN and SRV_ADMF_IDRAIN
_DRAINS = 0x08 | 0x10
_STATE_VERSION = "1"
_INFO_BEGIN, _STATE_BEGIN, _STAT_BEGIN = "Name: ", "# be_id ", "# pxname,"
_VERSION = re.compile(r"(\d+)\.(\d+)")

Row = Mapping[str, str]


@frozen
class Process:
    """The process that answers.

    Attributes:
        version: As it tells it, such as ``2.6.12-1+deb12u4``.
        epoch: Differs between any two processes.
        up_s: How long it has run, seconds.
    """

    version: str
    epoch: str
    up_s: float

    @property
    def release(self) -> tuple[int, int]:
        """The version's first two numbers."""
        found = _VERSION.match(self.version)
        return (0, 0) if found is None else (int(found[1]), int(found[2]))


@frozen
class Seen:
    """All that HAProxy tells at once.

    Attributes:
        process: Which one tells it.
        backend: What it tells.
        algorithm: How the backend chooses servers; "unknown" where HAProxy
            doesn't tell, such as for ``random``.
    """

    process: Process
    backend: Backend
    algorithm: str


def read_backend(answer: str, at: float) -> Seen | Refused:
    """Read the answer to `haproxy.look_at`, which came *at*.

    Raises:
        AnswerError: It is none.
    """
    parts = [part for part in re.split(r"\n[ \t]*\n", answer) if part.strip()]
    if not parts or not parts[0].startswith(_INFO_BEGIN):
        refusal = refused(answer)
        if refusal.refusal is not Refusal.OTHER:
            return refusal
    if len(parts) != 3:  # noqa: PLR2004 - one for each command
        msg = f"HAProxy gave {len(parts)} answers to 3 questions"
        raise AnswerError(msg)
    info, state, stat = parts
    if not state.lstrip().startswith(_STATE_VERSION) or _STATE_BEGIN not in state:
        refusal = refused(state)
        if refusal.refusal is not Refusal.OTHER:
            return refusal
    process = read_process(info)
    states = _read_states(state)
    rows = _read_rows(stat)
    return _see(process, states, rows, at)


def read_process(answer: str) -> Process:
    """Read the answer to ``show info``.

    Raises:
        AnswerError: It is none.
    """
    if not answer.startswith(_INFO_BEGIN):
        msg = f"{clean(answer, 60)!r} is no answer to `show info`"
        raise AnswerError(msg)
    lines = (line.partition(": ") for line in answer.splitlines())
    told = {key: value for key, _, value in lines}
    up_s = _number(told, "Uptime_sec")
    # The process's number alone comes again: in a container it is always 1.
    epoch = f"{_number(told, 'Pid')}-{_number(told, 'Start_time_sec')}"
    return Process(clean(_text(told, "Version"), 60), epoch, float(up_s))


def _see(
    process: Process, states: Mapping[str, Row], rows: tuple[Row, ...], at: float
) -> Seen:
    whole = [row for row in rows if _text(row, "type") == _BACKEND]
    if len(whole) != 1:
        msg = f"`show stat` tells of {len(whole)} backends, where one was asked for"
        raise AnswerError(msg)
    # The two lists are not of one instant: a server that is in one of them
    # alone is being added or removed, and will be told of next time.
    servers = tuple(
        _read_server(row, states[_text(row, "svname")])
        for row in rows
        if _text(row, "type") == _SERVER and _text(row, "svname") in states
    )
    return Seen(
        process,
        _read_whole(whole[0], process, rows, servers, at),
        _text(whole[0], "algo"),
    )


def _read_whole(
    whole: Row,
    process: Process,
    rows: tuple[Row, ...],
    servers: tuple[Server, ...],
    at: float,
) -> Backend:
    queued = sum(_number(row, "qcur") for row in rows)
    ended = "req_tot" if _text(whole, "req_tot") else "stot"
    return Backend(
        at=at,
        epoch=process.epoch,
        up_s=process.up_s,
        servers={server.name: server for server in servers},
        # Not read at one instant either: never less than none.
        in_flight=max(0, _number(whole, "scur") - queued),
        queued=queued,
        ended=_number(whole, ended),
        queue_ms=float(_number(whole, "qtime")) if queued else 0.0,
    )


def _read_server(row: Row, state: Row) -> Server:
    name = _text(row, "svname")
    if not is_name(name):
        msg = f"{clean(repr(name), 60)} is no name of a server"
        raise AnswerError(msg)
    named, address = _text(state, "srv_fqdn"), _text(state, "srv_addr")
    ended = "req_tot" if _text(row, "req_tot") else "stot"
    return Server(
        name=name,
        # A name never is an address of ours, not even while it resolves to one.
        address=clean(address if named == "-" else named, 255),
        port=_number(state, "srv_port"),
        duty=_duty(row, state),
        health=_health(row),
        sessions=_number(row, "scur") + _number(row, "qcur"),
        ended=_number(row, ended),
        weight=float(_number(state, "srv_uweight")),
        limit=_number(row, "slim") if _text(row, "slim") else None,
        is_backup=_text(row, "bck") == "1",
    )


def _duty(row: Row, state: Row) -> Duty:
    # The status of one that drains says DRAIN only while it is up.
    if _text(row, "status").startswith("MAINT"):
        return Duty.MAINT
    drains = _number(state, "srv_admin_state") & _DRAINS
    return Duty.DRAIN if drains else Duty.READY


def _health(row: Row) -> Health:
    # A check that runs just now shows the last result with a mark before it.
    result = _text(row, "check_status").removeprefix("* ")
    is_down = _text(row, "status").startswith("DOWN")
    if result in ("", "INI"):
        # Empty: in maintenance, or not checked at all.
        return Health.UNPROVEN
    if is_down:
        return Health.FAILED
    # Not full: it comes from maintenance with an old result, or isn't through
    # its first checks.
    full = _number(row, "check_rise") + _number(row, "check_fall") - 1
    is_full = _number(row, "check_health") == full
    return Health.PASSED if result in _PASSED and is_full else Health.UNPROVEN


def _read_states(part: str) -> Mapping[str, Row]:
    version, _, rest = part.strip().partition("\n")
    header, *lines = rest.splitlines() or [""]
    if version != _STATE_VERSION or not header.startswith(_STATE_BEGIN):
        msg = f"{clean(part, 60)!r} is no answer to `show servers state`"
        raise AnswerError(msg)
    names = header.split()[1:]
    states = {}
    for line in lines:
        values = line.split(" ")
        if len(values) != len(names):
            msg = f"{clean(line, 60)!r} does not fit to the header of its list"
            raise AnswerError(msg)
        row = dict(zip(names, values, strict=True))
        states[_text(row, "srv_name")] = row
    return states


def _read_rows(part: str) -> tuple[Row, ...]:
    text = part.strip("\n")
    if not text.startswith(_STAT_BEGIN):
        msg = f"{clean(part, 60)!r} is no answer to `show stat`"
        raise AnswerError(msg)
    try:
        header, *lines = csv.reader(io.StringIO(text.removeprefix("# ")), strict=True)
    except csv.Error as error:
        msg = f"the answer to `show stat` is no table: {error}"
        raise AnswerError(msg) from error
    for line in lines:
        if len(line) != len(header):
            msg = (
                f"{clean(','.join(line), 60)!r} does not fit to the header of its list"
            )
            raise AnswerError(msg)
    return tuple(dict(zip(header, line, strict=True)) for line in lines)


def _text(row: Row, key: str) -> str:
    try:
        return row[key]
    except KeyError:
        msg = f"HAProxy tells no {key}: 2.6 and newer do"
        raise AnswerError(msg) from None


def _number(row: Row, key: str) -> int:
    text = _text(row, key)
    if not (text.isascii() and text.isdecimal() and len(text) <= 20):  # noqa: PLR2004 - 64 bits
        msg = f"HAProxy tells {clean(text, 40)!r} as {key}: no number"
        raise AnswerError(msg)
    return int(text)
