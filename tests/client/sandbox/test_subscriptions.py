"""Statistics and consoles of the pure host."""

import pytest

from albatross_client import commands as c
from albatross_client import replies as r
from albatross_client.names import ROOT, Name
from albatross_client.sandbox.host import handle
from albatross_client.sandbox.state import RING_LINES, Close, Send
from albatross_client.sandbox.subscriptions import (
    EVICTED,
    MAX_FOLLOWERS,
    broadcast,
    hang_up,
    write_line,
)
from albatross_client.values import Rusage, Stats, Timestamp, Timeval
from tests.client.sandbox.asking import (
    CREATE,
    JOB,
    LATER,
    NOW,
    SOLO,
    TEAM,
    a_host,
    ask,
    replies,
)
from tests.sandbox_fixtures import API, CLONE, USER, WEB

STATS = Stats(rusage=Rusage(utime=Timeval(1, 0), stime=Timeval(0, 0)))


def listening(host, *paths):
    for caller, path in enumerate(paths, start=10):
        host, _ = handle(host, ask(path, c.StatsSubscribe(), caller), NOW)
    return host


def heard(host, *names):
    """Return (caller, name) of the frames of one tick."""
    sends = broadcast(host, dict.fromkeys(names, STATS))
    return [(send.caller, str(send.wire.header.name)) for send in sends]


def test_subscribed_has_the_whole_name_and_a_counter_for_sequence():
    host = a_host(WEB)

    _, effects = handle(host, ask(WEB, c.StatsSubscribe()), NOW)

    (wire,) = replies(effects)
    assert wire == r.Wire(r.Header(WEB, 1), r.Said("subscribed"))


def test_frames_come_in_descending_order_named_relative_to_the_root():
    host = listening(a_host(), ROOT)

    frames = heard(host, API, SOLO, CLONE, WEB)

    assert frames == [
        (10, "user:web-clone-1"),
        (10, "user:web"),
        (10, "user:api"),
        (10, ":solo"),
    ]


@pytest.mark.parametrize(
    ("path", "frames"),
    [
        (USER, ["team:job", ":web"]),
        (TEAM, [":job"]),
        (WEB, [":web"]),
        (Name(("user",), "we"), []),
    ],
    ids=["domain", "sub-domain", "one", "other"],
)
def test_a_subscriber_hears_what_is_at_and_below_its_path(path, frames):
    host = listening(a_host(), path)

    assert sorted(heard(host, WEB, JOB, SOLO)) == sorted((10, name) for name in frames)


def test_data_has_sequence_0():
    host = listening(a_host(), USER)

    (send,) = broadcast(host, {WEB: STATS})

    assert send.wire == r.Wire(r.Header(Name((), "web"), 0), r.StatsData(STATS))


def test_a_second_subscriber_of_the_same_path_ends_the_first_and_no_other():
    host = listening(a_host(), USER, ROOT, WEB)

    host, effects = handle(host, ask(USER, c.StatsSubscribe(), 20), NOW)

    failure, closed, subscribed = effects
    assert failure == Send(10, r.Wire(r.Header(USER), r.Failure(EVICTED)))
    assert closed == Close(10)
    assert isinstance(subscribed, Send)
    assert subscribed.caller == 20
    assert set(host.listeners.values()) == {20, 11, 12}


def test_who_hangs_up_hears_nothing_more():
    host = listening(a_host(), USER, ROOT)

    host = hang_up(host, 10)

    assert heard(host, WEB) == [(11, "user:web")]


@pytest.mark.parametrize(
    ("start", "texts"),
    [(2, [b"b", b"c"]), (0, []), (9, [b"a", b"b", b"c"]), (LATER, [b"c"])],
    ids=["last two", "none", "more than there are", "since"],
)
def test_history_is_the_last_lines_or_those_since_an_instant(start, texts):
    host = a_host()
    for text, when in ((b"a", NOW), (b"b", NOW), (b"c", LATER)):
        host, _ = write_line(host, WEB, text, when)

    _, effects = handle(host, ask(WEB, c.ConsoleSubscribe(start)), LATER)

    first, *lines = replies(effects)
    assert first.payload == r.Said("subscribed")
    assert [line.payload.text for line in lines] == texts
    assert all(line.header == r.Header(WEB, 0) for line in lines)


def test_a_ring_forgets_its_oldest_lines():
    host = a_host()
    for number in range(RING_LINES + 1):
        host, _ = write_line(host, WEB, str(number).encode(), NOW)

    lines = host.consoles[WEB].lines
    assert len(lines) == RING_LINES
    assert lines[0].text == b"1"


def test_a_console_outlives_its_unikernel_and_is_then_inactive():
    host = a_host(WEB, JOB)
    host, _ = handle(host, ask(WEB, c.UnikernelDestroy()), NOW)
    host, _ = handle(host, ask(API, c.ConsoleSubscribe(1)), NOW)

    _, effects = handle(host, ask(USER, c.ConsoleListInactive()), NOW)

    (wire,) = replies(effects)
    assert wire.payload == r.Consoles((Name((), "web"),))


def test_a_follower_too_many_ends_the_oldest():
    host = a_host(WEB)
    for caller in range(MAX_FOLLOWERS):
        host, _ = handle(host, ask(WEB, c.ConsoleSubscribe(0), caller), NOW)

    host, effects = handle(host, ask(WEB, c.ConsoleSubscribe(0), 99), NOW)

    assert effects[:2] == (
        Send(0, r.Wire(r.Header(WEB), r.Failure(EVICTED))),
        Close(0),
    )
    assert host.consoles[WEB].followers == (1, 2, 3, 4, 99)


def test_a_new_unikernel_greets_those_who_waited():
    host, _ = handle(a_host(), ask(WEB, c.ConsoleSubscribe(5), 7), NOW)

    _, effects = handle(host, ask(WEB, CREATE, 8), Timestamp(0))

    to_follower = next(each for each in effects if isinstance(each, Send))
    assert to_follower.caller == 7
    assert to_follower.wire.payload == r.ConsoleLine(
        Timestamp(0), b"Solo5: Memory map: 32 MB addressable:"
    )


def test_who_hangs_up_is_told_no_more_lines():
    host, _ = handle(a_host(WEB), ask(WEB, c.ConsoleSubscribe(5), 7), NOW)
    host, _ = handle(host, ask(WEB, c.ConsoleSubscribe(5), 8), NOW)

    host = hang_up(host, 7)

    _, sends = write_line(host, WEB, b"x", NOW)
    assert [each.caller for each in sends if isinstance(each, Send)] == [8]
