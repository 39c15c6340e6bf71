"""One subscription of a host, and the watches that it feeds."""

import pytest

from albatross_client.errors import HostUnreachableError
from albatross_client.heard import Heard
from albatross_client.names import ROOT, Name
from autoscaler.core.rhythm import Rhythm
from autoscaler.shell.hosts.line import Line
from autoscaler.shell.hosts.watch import Watch
from tests.core.builders import (
    DOMAIN,
    NEIGHBOUR,
    PRIMARY,
    clone_name,
    make_info,
    make_sample,
)

SHOP = Name(("shop",))
TILL = Name(("shop",), "till")


class Listener:
    def __init__(self):
        self.heard = []
        self.sleeps = 0

    def stream_changed(self, watch):
        pass

    def frame_heard(self, watch, name):
        self.heard.append((watch.domain, name))

    def notice_sleep(self):
        return self.sleeps


@pytest.fixture
async def watch():
    """What is known of a domain; it needs a running trio."""
    return Watch("alpha", DOMAIN, Rhythm(configured=10.0))


@pytest.fixture
async def line(watch):
    """The stream of the domain, which began at 0."""
    line = Line("alpha", DOMAIN, lambda: (watch,), Listener())
    line.open(0.0)
    return line


def hear(line, at, name=PRIMARY):
    line.hear(Heard(name, make_sample(0), at))


@pytest.mark.parametrize(
    ("frames", "stalls_at"),
    [
        pytest.param([], 200.0, id="never"),
        pytest.param([5.0], 205.0, id="one-frame"),
        pytest.param([5.0, 15.0], 45.0, id="a-pair"),
        pytest.param([5.0, 45.0], 165.0, id="a-long-pair"),
    ],
)
async def test_a_stream_stalls_by_its_interval_once_there_was_a_pair(
    watch, line, frames, stalls_at
):
    watch.take_infos({PRIMARY: make_info()}, 0, 0, 0)
    for at in frames:
        hear(line, at)

    assert line.stalls_at(50.0) == stalls_at


async def test_a_stream_cannot_stall_before_anything_is_listed(line):
    assert line.stalls_at(5000.0) is None


async def test_a_new_stream_waits_for_its_own_pair(watch, line):
    watch.take_infos({PRIMARY: make_info()}, 0, 0, 0)
    hear(line, 5.0)
    hear(line, 15.0)
    line.close(100.0)
    line.open(110.0)

    assert line.stalls_at(120.0) == 310.0


async def test_the_stream_of_a_host_feeds_every_domain_with_its_own(watch):
    shop, listener = Watch("alpha", SHOP, Rhythm()), Listener()
    line = Line("alpha", ROOT, lambda: (watch, shop), listener)
    line.open(0.0)

    hear(line, 1.0, PRIMARY)
    hear(line, 1.0, TILL)

    assert set(watch.tracks) == {PRIMARY}
    assert set(shop.tracks) == {TILL}
    assert listener.heard == [(DOMAIN, PRIMARY), (SHOP, TILL)]


async def test_a_domain_that_comes_while_the_stream_runs_is_up_with_it(watch):
    watches = [watch]
    line = Line("alpha", ROOT, lambda: watches, Listener())
    line.open(0.0)
    shop = Watch("alpha", SHOP, Rhythm())
    watches.append(shop)

    hear(line, 10.0, PRIMARY)

    assert shop.feed.up_since == 10.0


async def test_the_stream_of_a_host_stalls_only_if_no_domain_is_heard(watch):
    shop = Watch("alpha", SHOP, Rhythm(configured=10.0))
    shop.take_infos({TILL: make_info()}, 0, 0, 0)
    watch.take_infos({PRIMARY: make_info()}, 0, 0, 0)
    line = Line("alpha", ROOT, lambda: (watch, shop), Listener())
    line.open(0.0)
    for at in (10.0, 20.0, 30.0):
        hear(line, at, TILL)

    assert line.stalls_at(35.0) == 60.0


async def test_a_member_has_its_own_ups_and_downs(watch):
    other = Line("alpha", NEIGHBOUR, lambda: (watch,), Listener())
    own = Line("alpha", PRIMARY, lambda: (watch,), Listener())
    own.open(0.0)
    other.open(0.0)

    own.close(100.0)

    assert watch.feeds[PRIMARY].up_since is None
    assert watch.feeds[NEIGHBOUR].up_since == 0.0
    assert watch.feed.up_since == 0.0


async def test_a_domain_is_down_when_all_its_members_are(watch):
    lines = [
        Line("alpha", name, lambda: (watch,), Listener())
        for name in (PRIMARY, NEIGHBOUR)
    ]
    for line in lines:
        line.open(0.0)
    for line in lines:
        line.close(100.0)

    assert watch.feed.up_since is None
    assert watch.feed.listened_by(500.0) == 100.0


async def test_a_member_that_comes_later_is_on_the_clock_of_its_domain(watch):
    own = Line("alpha", PRIMARY, lambda: (watch,), Listener())
    own.open(0.0)
    clone = clone_name(1)

    watch.expect(clone, 1000.0)
    later = Line("alpha", clone, lambda: (watch,), Listener())
    later.open(1005.0)

    assert watch.feeds[clone].listened_by(1010.0) == 1005.0


async def test_no_stream_of_a_member_is_taken_for_an_earlier_one(watch):
    first = Line("alpha", PRIMARY, lambda: (watch,), Listener())
    first.open(0.0)
    hear(first, 10.0)
    first.close(15.0)
    watch.expect_no_more(PRIMARY)

    again = Line("alpha", PRIMARY, lambda: (watch,), Listener())
    again.open(16.0)
    hear(again, 20.0)

    assert watch.tracks[PRIMARY].row == ()


async def test_a_member_that_is_not_listed_cannot_stall(watch):
    own = Line("alpha", PRIMARY, lambda: (watch,), Listener())
    own.open(0.0)
    watch.take_infos({NEIGHBOUR: make_info()}, 0, 0, 0)

    assert own.stalls_at(5000.0) is None


async def test_frames_of_a_bunch_are_looked_at_once_for_a_suspension(line):
    hear(line, 10.0)
    line.listener.sleeps += 1
    hear(line, 10.0, NEIGHBOUR)

    with pytest.raises(HostUnreachableError, match="suspended"):
        hear(line, 10.1)

    assert line.frames == 2


async def test_names_without_end_are_not_all_kept(watch, line, monkeypatch):
    """A host that has gone mad must not take the memory of all others."""
    monkeypatch.setattr("autoscaler.shell.hosts.line.MOST_HEARD", 3)
    hear(line, 10.0)

    for number in range(1, 9):
        hear(line, 10.0, clone_name(number))
    hear(line, 20.0)

    assert set(watch.tracks) == {PRIMARY, clone_name(1), clone_name(2)}
    assert watch.tracks[PRIMARY].heard.at == 20.0
