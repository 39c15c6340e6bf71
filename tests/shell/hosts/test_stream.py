"""A statistics stream that is kept running, whatever its host does."""

from itertools import pairwise
from typing import Any

import pytest
import trio
from attrs import define, field

from albatross_client.errors import (
    AlbatrossError,
    CertificateError,
    CommandRefusedError,
    HostUnreachableError,
    HungUpError,
)
from albatross_client.heard import Heard
from autoscaler.core.rhythm import Rhythm
from autoscaler.shell.hosts.host import Subscribe
from autoscaler.shell.hosts.line import Line
from autoscaler.shell.hosts.stream import follow_stats
from autoscaler.shell.hosts.watch import Watch
from autoscaler.shell.log import Log
from tests.core.builders import DOMAIN, PRIMARY, make_info, make_sample
from tests.fakes import ScriptedHost, ScriptedSource

LOST = HostUnreachableError("no route")
TAKEN = HungUpError("exception while reading from fd (somebody else)")


@define
class Listener:
    changes: list[bool] = field(factory=list)
    frames: int = 0
    sleeps: int = 0

    def stream_changed(self, watch):
        self.changes.append(watch.feed.up_since is not None)

    def frame_heard(self, watch, name):
        self.frames += 1

    def notice_sleep(self):
        return self.sleeps


@define
class Scene:
    host: ScriptedHost
    watch: Watch
    listener: Listener
    line: Line
    lines: list[dict[str, Any]] = field(factory=list)
    names: list[str] = field(factory=list)

    def write(self, _level, name, fields):
        self.names.append(name)
        self.lines.append(dict(fields))

    @property
    def errors(self):
        return [fields["error"] for fields in self.lines if "error" in fields]


def begin(nursery, *answers):
    watch, listener = Watch("alpha", DOMAIN, Rhythm()), Listener()
    narrower = Subscribe.DOMAIN.narrower
    line = Line("alpha", DOMAIN, lambda: (watch,), listener, narrower)
    scene = Scene(ScriptedHost(list(answers)), watch, listener, line)
    nursery.start_soon(follow_stats, scene.host, line, Log(scene.write))
    return scene


def view(scene):
    return scene.watch.view((), 60.0)


def frame(cpu_us=0):
    return Heard(PRIMARY, make_sample(cpu_us), trio.current_time())


def pauses(scene):
    asked = scene.host.asked_at
    return [later - earlier for earlier, later in pairwise(asked)]


async def test_pauses_double_up_to_a_minute(autojump_clock, nursery):
    scene = begin(nursery, *[LOST] * 9)

    await trio.sleep(400)

    expected = [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert all(
        0.75 * wanted <= pause <= 1.25 * wanted
        for pause, wanted in zip(pauses(scene), expected, strict=False)
    )
    assert len(pauses(scene)) >= 8


async def test_a_stream_that_brought_frames_is_soon_tried_again(
    autojump_clock, nursery
):
    source = ScriptedSource([frame()], LOST)
    scene = begin(nursery, LOST, LOST, LOST, LOST, source, LOST)

    await trio.sleep(100)

    assert pauses(scene)[4] <= 1.25
    assert scene.listener.frames == 1


async def test_a_subscription_that_is_not_answered_is_given_up(autojump_clock, nursery):
    scene = begin(nursery)

    await trio.sleep(31)

    assert scene.errors == ["no answer to the subscription within 30 s"]


@pytest.mark.parametrize(
    "error", [LOST, CertificateError("expired"), CommandRefusedError("no")]
)
async def test_a_subscription_that_fails_is_told_in_the_hosts_words(
    autojump_clock, nursery, error
):
    scene = begin(nursery, error)

    await trio.sleep(0.5)

    assert scene.errors == [str(error)]
    assert scene.listener.changes == []


async def test_groups_hear_of_a_stream_that_goes_up_and_down(autojump_clock, nursery):
    scene = begin(nursery, ScriptedSource(end=LOST))

    await trio.sleep(0.5)

    assert scene.listener.changes == [True, False]


async def test_a_stream_that_somebody_else_takes_over_is_said_to_be_that(
    autojump_clock, nursery
):
    scene = begin(nursery, ScriptedSource([frame()], TAKEN))

    await trio.sleep(0.5)

    assert scene.errors == [str(TAKEN)]
    assert scene.names == ["stream_opened", "stream_lost"]


async def test_who_is_sent_away_again_and_again_comes_back_later_every_time(
    autojump_clock, nursery
):
    sources = [ScriptedSource([frame()], TAKEN) for _ in range(8)]
    scene = begin(nursery, *sources)

    await trio.sleep(600)

    expected = [2, 4, 8, 16, 32, 60, 60]
    assert [
        0.75 * wanted <= pause <= 1.25 * wanted
        for pause, wanted in zip(pauses(scene), expected, strict=False)
    ] == [True] * 7


async def test_a_contest_is_told_with_what_helps(autojump_clock, nursery):
    sources = [ScriptedSource([frame()], TAKEN) for _ in range(2)]
    scene = begin(nursery, *sources)
    before = view(scene).is_contested

    await trio.sleep(10)

    contested = [line for line in scene.lines if "advice" in line]
    assert [line["path"] for line in contested] == ["user:"]
    assert 'subscribe = "unikernel"' in contested[0]["advice"]
    assert not before
    assert view(scene).is_contested


async def test_a_contest_ends_when_nobody_comes_for_ten_minutes(
    autojump_clock, nursery
):
    sources = [ScriptedSource([frame()], TAKEN) for _ in range(2)]
    scene = begin(nursery, *sources, ScriptedSource())

    await trio.sleep(620)

    assert not view(scene).is_contested


async def test_takeovers_that_are_far_apart_are_no_contest(autojump_clock, nursery):
    scene = begin(nursery, ScriptedSource([frame()], TAKEN), ScriptedSource())
    await trio.sleep(700)
    scene.line.taken(trio.current_time())

    contested = view(scene).is_contested

    assert not contested


async def test_a_certificate_that_is_not_accepted_is_tried_again_slowly(
    autojump_clock, nursery
):
    scene = begin(nursery, *[CertificateError("expired")] * 5)

    await trio.sleep(300)

    assert min(pauses(scene)) >= 0.75 * 30


async def test_a_stream_that_was_slept_through_is_begun_again(autojump_clock, nursery):
    source = ScriptedSource()
    scene = begin(nursery, source, ScriptedSource())
    await trio.sleep(100)

    scene.listener.sleeps += 1
    await trio.sleep(15)

    assert source.is_closed
    assert scene.watch.feed.stream == 2
    assert "suspended" in scene.errors[0]


async def test_a_frame_that_was_slept_through_is_not_taken_in(autojump_clock, nursery):
    source = ScriptedSource([frame()])
    scene = begin(nursery, source, ScriptedSource())
    await trio.sleep(1)

    scene.listener.sleeps += 1
    source.send(frame(1_000_000))
    await trio.sleep(0.1)

    assert scene.listener.frames == 1
    assert source.is_closed


async def test_a_stalled_stream_is_begun_again(autojump_clock, nursery):
    source = ScriptedSource()
    scene = begin(nursery, source)
    scene.watch.take_infos({PRIMARY: make_info()}, 0, 0, 0)

    await trio.sleep(205)

    assert scene.errors == [
        "connected, but nothing has come for too long: the stream has stalled"
    ]
    assert source.is_closed
    assert len(scene.host.asked_at) == 2


async def test_messages_that_cannot_be_read_are_said_once(autojump_clock, nursery):
    """A newer host looked like one that has stalled, for ever."""
    sources = [ScriptedSource(skipped={"data tag 5": 9}) for _ in range(3)]
    scene = begin(nursery, *sources)
    scene.watch.take_infos({PRIMARY: make_info()}, 0, 0, 0)

    await trio.sleep(60)
    sources[0].skipped = {"data tag 5": 90, "malformed": 1}
    await trio.sleep(600)

    skipped = [line["kind"] for line in scene.lines if "kind" in line]
    assert skipped == ["data tag 5", "malformed"]
    assert scene.errors[0] == (
        "connected, but nothing that can be read has come for too long: data tag 5, "
        "malformed"
    )


async def test_kinds_without_end_do_not_fill_the_log(autojump_clock, nursery):
    skipped = {f"data tag {tag}": 1 for tag in range(100)}
    scene = begin(nursery, ScriptedSource(skipped=skipped))

    await trio.sleep(60)

    assert scene.names.count("messages_skipped") == 16


async def test_what_was_skipped_is_said_where_the_stream_ends_at_once(
    autojump_clock, nursery
):
    scene = begin(nursery, ScriptedSource(end=LOST, skipped={"malformed": 1}))

    await trio.sleep(0.5)

    assert scene.names == ["stream_opened", "messages_skipped", "stream_lost"]


async def test_silence_where_nothing_runs_is_no_stall(autojump_clock, nursery):
    scene = begin(nursery, ScriptedSource())
    scene.watch.take_infos({}, 0, 0, 0)

    await trio.sleep(3600)

    assert scene.errors == []


async def test_a_silence_counts_from_when_something_runs(autojump_clock, nursery):
    scene = begin(nursery, ScriptedSource())
    scene.watch.take_infos({}, 0, 0, 0)
    await trio.sleep(3600)
    now = trio.current_time()
    scene.watch.take_infos({PRIMARY: make_info()}, now, now, 0)

    await trio.sleep(190)
    before = list(scene.errors)
    await trio.sleep(30)

    assert before == []
    assert len(scene.errors) == 1


async def test_a_goodbye_that_takes_long_is_not_waited_for(autojump_clock, nursery):
    source = ScriptedSource(end=AlbatrossError("malformed"), goodbye=3600)
    scene = begin(nursery, source, ScriptedSource())

    await trio.sleep(5)

    assert len(scene.host.asked_at) == 2
    assert not source.is_closed
