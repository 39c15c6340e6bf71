"""What hooks are told and tell: JSON, one object each way.

A hook for ``observe`` gets ``{"step": "observe", "backend": "web"}`` and prints

    {"servers": [{"name": "web-1", "address": "10.0.42.11", "port": 80,
                  "duty": "ready", "health": "passed", "sessions": 3}],
     "in_flight": 3, "queued": 0, "ended": 1200}

A server may have all fields of `Server`, the answer all of `Backend` but its
time; what has a default there may be left out, and so may address and port.
Hooks for steps get ``{"step": "add", "backend": "web", "name": "web-2",
"address": "10.0.42.12", "port": 80, "weight": null}``, the others less.
"""

import json
import math
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, assert_never

from albatross_client.texts import clean
from autoscaler.core.arrange import Add, Drain, MakeReady, Remove, Rest, Step, Weigh
from autoscaler.core.backend import LAST_PORT, Backend, Duty, Health, Server

OBSERVE = "observe"
MOST_SERVERS = 10_000

T = TypeVar("T")


def write_step(step: Step | None, backend: str) -> bytes:
    """Return what a hook gets for *step*; None: it is to observe."""
    told = {"step": word_of(step), "backend": backend, **_fields(step)}
    return json.dumps(told).encode() + b"\n"


def word_of(step: Step | None) -> str:
    """Return the name of *step* for hooks."""
    match step:
        case None:
            return OBSERVE
        case Add():
            return "add"
        case Drain():
            return "drain"
        case MakeReady():
            return "ready"
        case Weigh():
            return "weigh"
        case Rest():
            return "rest"
        case Remove():
            return "remove"
        case _:
            assert_never(step)


def _fields(step: Step | None) -> dict[str, Any]:
    match step:
        case None:
            return {}
        case Add(name, place, weight):
            where = {"address": place.address, "port": place.port}
            return {"name": name, **where, "weight": weight}
        case Weigh(name, weight):
            return {"name": name, "weight": weight}
        case Drain(name) | MakeReady(name) | Rest(name) | Remove(name):
            return {"name": name}
        case _:
            assert_never(step)


def read_backend(answer: bytes, at: float) -> Backend:
    """Read what a hook has observed *at*.

    Raises:
        ValueError: It is something else; one sentence that names the field.
    """
    try:
        told = json.loads(answer)
    except (ValueError, RecursionError) as error:
        beginning = answer[:60].decode("utf-8", "replace").strip()
        msg = f"{clean(beginning)!r} is no JSON"
        raise ValueError(msg) from error
    servers = [
        _read_server(each, f"servers[{number}]")
        for number, each in enumerate(_Fields.of(told, "the answer").listed("servers"))
    ]
    by_name = {server.name: server for server in servers}
    if len(by_name) < len(servers):
        msg = "servers: two have the same name"
        raise ValueError(msg)
    fields = _Fields.of(told, "the answer")
    fields.require_known({"servers", *_BACKEND})
    return Backend(at=at, servers=by_name, **fields.read(_BACKEND))


def _read_server(told: object, where: str) -> Server:
    fields = _Fields.of(told, where)
    fields.require_known(_SERVER)
    for key in ("name", "duty", "health"):
        fields.require(key)
    return Server(**{"address": "", "port": 0, **fields.read(_SERVER)})


class _Fields:
    """The fields of one object, and where it stands."""

    def __init__(self, told: Mapping[str, object], where: str) -> None:
        self._told, self._where = told, where

    @classmethod
    def of(cls, told: object, where: str) -> "_Fields":
        if not isinstance(told, dict):
            msg = f"{where} is no JSON object"
            raise ValueError(msg)  # noqa: TRY004 - what a hook says, not who calls
        return cls(told, where)

    def require(self, key: str) -> None:
        if key not in self._told:
            msg = f"{self._where} has no {key}"
            raise ValueError(msg)

    def require_known(self, known: "set[str] | Mapping[str, object]") -> None:
        for key in self._told:
            if key not in known:
                allowed = ", ".join(sorted(known))
                msg = f"{self._where} has {clean(key, 60)!r}: allowed are {allowed}"
                raise ValueError(msg)

    def listed(self, key: str) -> list[object]:
        self.require(key)
        values = self._told[key]
        if not isinstance(values, list) or len(values) > MOST_SERVERS:
            msg = f"{self._where}: {key} is no list of at most {MOST_SERVERS}"
            raise ValueError(msg)
        return values

    def read(self, readers: "Mapping[str, Callable[[object], Any]]") -> dict[str, Any]:
        values = {}
        for key, reader in readers.items():
            if key not in self._told:
                continue
            try:
                values[key] = reader(self._told[key])
            except ValueError as error:
                msg = f"{self._where}: {key}: {error}"
                raise ValueError(msg) from error
        return values


def _text(value: object) -> str:
    if not isinstance(value, str) or clean(value, 255) != value:
        msg = f"{clean(repr(value), 60)} is no text of at most 255 printable letters"
        raise ValueError(msg)
    return value


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        msg = f"{clean(repr(value), 60)} is no whole number from 0 on"
        raise ValueError(msg)
    return value


def _port(value: object) -> int:
    port = _count(value)
    if port > LAST_PORT:
        msg = f"{port} is no port"
        raise ValueError(msg)
    return port


def _amount(value: object) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 <= value < math.inf:  # type: ignore[operator] # narrowed
        msg = f"{clean(repr(value), 60)} is no number from 0 on"
        raise ValueError(msg)
    return float(value)  # type: ignore[arg-type] # narrowed


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        msg = f"{clean(repr(value), 60)} is neither true nor false"
        raise ValueError(msg)  # noqa: TRY004 - what a hook says, not who calls
    return value


def _or_none(reader: Callable[[object], T]) -> Callable[[object], T | None]:
    return lambda value: None if value is None else reader(value)


_SERVER: Mapping[str, Callable[[object], Any]] = {
    "name": _text,
    "address": _text,
    "port": _port,
    "duty": Duty,
    "health": Health,
    "sessions": _count,
    "ended": _count,
    "weight": _or_none(_amount),
    "limit": _or_none(_count),
    "is_backup": _truth,
}
_BACKEND: Mapping[str, Callable[[object], Any]] = {
    "epoch": _text,
    "up_s": _or_none(_amount),
    "in_flight": _count,
    "queued": _count,
    "ended": _count,
    "queue_ms": _or_none(_amount),
}
