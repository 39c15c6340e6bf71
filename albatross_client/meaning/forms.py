"""The JSON forms that commands and replies share, in both directions."""

import re
from typing import Final, assert_never

from albatross_client.meaning.cursor import Cursor, Json
from albatross_client.names import Name
from albatross_client.values import (
    FailBehaviour,
    Quit,
    ResourcePolicy,
    RestartOnExit,
    Timestamp,
    Typ,
)
from albatross_client.wire.instants import MS_PER_DAY, check_range, rfc3339

_PS_PER_MS: Final = 1_000_000_000
_PS_PER_DAY: Final = MS_PER_DAY * _PS_PER_MS
_MAC: Final = re.compile(r"[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5}", re.ASCII)
_TYPS: Final = tuple(typ.value for typ in Typ)


def write_name(name: Name) -> Json:
    """Return a name: its text, and its parts."""
    return {"text": str(name), "path": list(name.path), "label": name.label}


def read_name(at: Cursor) -> Name:
    """Read a name; its text has to agree with its parts."""
    parts = at.record("text", "path", "label")
    path = parts["path"].items(Cursor.text)
    label = parts["label"].optional(Cursor.text)
    name = at.attempt(lambda: Name(path, label))
    if parts["text"].text() != str(name):
        parts["text"].fail(f"the text of path and label, {str(name)!r},")
    return name


def write_time(when: Timestamp) -> Json:
    """Return an instant, as text and in the two numbers hosts keep."""
    days, ms = divmod(when.milliseconds, MS_PER_DAY)
    return {
        "rfc3339": rfc3339(when),
        "days": days,
        "picoseconds": ms * _PS_PER_MS,
    }


def read_time(at: Cursor) -> Timestamp:
    """Read an instant; its text has to agree with its numbers."""
    parts = at.record("rfc3339", "days", "picoseconds")
    picoseconds = parts["picoseconds"].integer()
    ms, rest = divmod(picoseconds, _PS_PER_MS)
    if rest or not 0 <= picoseconds < _PS_PER_DAY:
        parts["picoseconds"].fail("whole milliseconds of one day")
    when = Timestamp(parts["days"].integer() * MS_PER_DAY + ms)
    at.attempt(lambda: check_range(when))
    if parts["rfc3339"].text() != rfc3339(when):
        parts["rfc3339"].fail(f"the same instant, {rfc3339(when)!r},")
    return when


def write_mac(mac: bytes) -> str:
    """Return a MAC address in the usual form."""
    return mac.hex(":")


def read_mac(at: Cursor) -> bytes:
    """Read a MAC address."""
    if _MAC.fullmatch(at.text()) is None:
        at.fail("a MAC address, six pairs of hexadecimal digits joined by ':',")
    return bytes.fromhex(at.text().replace(":", ""))


def read_typ(at: Cursor) -> Typ:
    """Read what runs a unikernel."""
    if at.value not in _TYPS:
        at.fail("one of " + ", ".join(map(repr, _TYPS)))
    return Typ(at.value)


def write_fail_behaviour(behaviour: FailBehaviour) -> Json:
    """Return what happens when a unikernel exits."""
    match behaviour:
        case Quit():
            return {"quit": True}
        case RestartOnExit(exit_codes):
            return {"restart": sorted(exit_codes)}
        case _:
            assert_never(behaviour)


def read_fail_behaviour(at: Cursor) -> FailBehaviour:
    """Read what happens when a unikernel exits."""
    name, value = at.alternative(("quit", "restart"))
    if name == "restart":
        return RestartOnExit(read_integers(value))
    read_true(value)
    return Quit()


def read_true(at: Cursor) -> None:
    """Read what stands for "nothing more to say"."""
    if at.value is not True:
        at.fail("true")


def read_integers(at: Cursor) -> frozenset[int]:
    """Read a set of whole numbers."""
    return frozenset(at.items(Cursor.integer))


def write_argv(argv: tuple[str, ...] | None) -> Json:
    """Return arguments; none and no arguments differ."""
    return None if argv is None else list(argv)


def read_argv(at: Cursor) -> tuple[str, ...] | None:
    """Read arguments."""
    return at.optional(lambda some: some.items(Cursor.text))


def write_policy(policy: ResourcePolicy) -> Json:
    """Return a domain's policy."""
    return {
        "cpuids": sorted(policy.cpuids),
        "unikernels": policy.unikernels,
        "memory": policy.memory,
        "block": policy.block,
        "bridges": sorted(policy.bridges),
    }


def read_policy(at: Cursor) -> ResourcePolicy:
    """Read a domain's policy."""
    parts = at.record("cpuids", "unikernels", "memory", "block", "bridges")
    return ResourcePolicy(
        cpuids=read_integers(parts["cpuids"]),
        unikernels=parts["unikernels"].integer(),
        memory=parts["memory"].integer(),
        block=parts["block"].optional(Cursor.integer),
        bridges=frozenset(parts["bridges"].items(Cursor.text)),
    )
