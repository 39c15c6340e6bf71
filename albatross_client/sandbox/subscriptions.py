"""Statistics and console subscriptions, as hosts keep them."""

from collections.abc import Iterator, Mapping
from typing import TypeVar

from attrs import evolve

from albatross_client.commands import ConsoleSubscribe
from albatross_client.names import Name
from albatross_client.replies import (
    ConsoleLine,
    Consoles,
    Data,
    Failure,
    Header,
    Payload,
    Said,
    StatsData,
    Wire,
)
from albatross_client.sandbox.state import (
    RING_LINES,
    Close,
    Console,
    Effect,
    Host,
    Send,
    below,
    descending,
    relative,
)
from albatross_client.values import Stats, Timestamp

# See albatross_console.ml:max_subscribers.
MAX_FOLLOWERS = 5
# albatross_tls_endpoint.ml:read - what is said when a service hangs up.
EVICTED = "exception while reading from fd"

Key = TypeVar("Key")
Value = TypeVar("Value")


def listen(
    host: Host, caller: int, path: Name, sequence: int
) -> tuple[Host, tuple[Effect, ...]]:
    """Subscribe *caller* to the statistics at *path*; an older one is ended."""
    before = host.listeners.get(path)
    evicted = () if before is None else evict(before, path)
    listening = evolve(host, listeners={**host.listeners, path: caller})
    return listening, (*evicted, Send(caller, _subscribed(path, sequence)))


def follow(
    host: Host, caller: int, name: Name, asked: ConsoleSubscribe, sequence: int
) -> tuple[Host, tuple[Effect, ...]]:
    """Subscribe *caller* to the console of *name*, history first."""
    # See albatross_console.ml:subscribe and send_history.
    if name.label is None:
        reply = Wire(Header(name, sequence), Failure("path used instead of name"))
        return host, (Send(caller, reply), Close(caller))
    console = host.consoles.get(name, Console())
    kept, evicted = _make_room(console, name)
    following = evolve(console, followers=(*kept, caller))
    text = "waiting for VM" if console.lines is None else "subscribed"
    reply = Wire(Header(name, sequence), Said(text))
    history = _history(console.lines or (), asked.start)
    return _with_console(host, name, following), (
        *evicted,
        Send(caller, reply),
        *(Send(caller, _data(name, line)) for line in history),
    )


def open_console(host: Host, name: Name) -> Host:
    """Return *host* with a ring for the console of *name*."""
    console = host.consoles.get(name, Console())
    if console.lines is not None:
        return host
    return _with_console(host, name, evolve(console, lines=()))


def write_line(
    host: Host, name: Name, text: bytes, now: Timestamp
) -> tuple[Host, tuple[Effect, ...]]:
    """Return *host* after *name* wrote the line *text* to its console."""
    console = host.consoles.get(name, Console())
    line = ConsoleLine(now, text)
    lines = ((*(console.lines or ()), line))[-RING_LINES:]
    sends = tuple(Send(caller, _data(name, line)) for caller in console.followers)
    return _with_console(host, name, evolve(console, lines=lines)), sends


def inactive_consoles(host: Host, path: Name) -> Consoles:
    """Return the consoles at and below *path* whose unikernel doesn't run."""
    silent = {
        name: console
        for name, console in host.consoles.items()
        if console.lines is not None and name not in host.unikernels
    }
    return Consoles(tuple(relative(name, path) for name in below(silent, path)))


def hang_up(host: Host, caller: int) -> Host:
    """Return *host* after *caller* is gone."""
    consoles = {
        name: evolve(console, followers=_without(console.followers, caller))
        if caller in console.followers
        else console
        for name, console in host.consoles.items()
    }
    listeners = {path: one for path, one in host.listeners.items() if one != caller}
    return evolve(host, consoles=consoles, listeners=listeners)


def evict(caller: int, path: Name) -> tuple[Effect, ...]:
    """Return how the endpoint ends a subscription that a service dropped."""
    return Send(caller, Wire(Header(path), Failure(EVICTED))), Close(caller)


def broadcast(host: Host, readings: Mapping[Name, Stats]) -> Iterator[Send]:
    """Yield the frames of one tick: for each listener one of each unikernel.

    Names are relative to the path that was subscribed to; a subscription to
    one name is told ``:label`` too.
    """
    ordered = sorted(readings, key=descending, reverse=True)
    for path, caller in host.listeners.items():
        for name in ordered:
            if name == path or (path.label is None and name.is_within(path)):
                shown = relative(name, path)
                yield Send(caller, _data(shown, StatsData(readings[name])))


def _make_room(
    console: Console, name: Name
) -> tuple[tuple[int, ...], tuple[Effect, ...]]:
    """Return who stays of the followers when one more comes, and what ends."""
    if len(console.followers) < MAX_FOLLOWERS:
        return console.followers, ()
    first, *others = console.followers
    return tuple(others), evict(first, name)


def _history(
    lines: tuple[ConsoleLine, ...], start: Timestamp | int
) -> tuple[ConsoleLine, ...]:
    if isinstance(start, int):
        return lines[-start:] if start > 0 else ()
    return tuple(line for line in lines if line.timestamp >= start)


def _subscribed(path: Name, sequence: int) -> Wire:
    return Wire(Header(path, sequence), Said("subscribed"))


def _data(name: Name, data: Data) -> Wire:
    payload: Payload = data
    return Wire(Header(name), payload)


def _without(callers: tuple[int, ...], caller: int) -> tuple[int, ...]:
    return tuple(each for each in callers if each != caller)


def _with_console(host: Host, name: Name, console: Console) -> Host:
    return evolve(host, consoles={**host.consoles, name: console})
