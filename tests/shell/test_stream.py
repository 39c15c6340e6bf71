"""A statistics stream that is kept running, whatever its host does."""

from itertools import pairwise

import pytest
import trio
from attrs import define, field

from albatross_client.errors import (
    AlbatrossError,
    CertificateError,
    CommandRefusedError,
    HostUnreachableError,
)
from albatross_client.heard import Heard
from autoscaler.core.rhythm import Rhythm
from autoscaler.shell.log import Log
from autoscaler.shell.stream import follow_stats
from autoscaler.shell.watch import Watch
from tests.core.builders import DOMAIN, PRIMARY, make_info, make_sample
from tests.fakes import ScriptedHost, ScriptedSource

LOST = HostUnreachableError("no route")


@define
class Listener:
    changes: list[bool] = field(factory=list)
    frames: int = 0

    def stream_changed(self, watch):
        self.changes.append(watch.feed.up_since is not None)

    def frame_heard(self, watch, name):
        self.frames += 1


@define
class Scene:
    host: ScriptedHost
    watch: Watch
    listener: Listener
    lines: list[dict[str, object]]

    @property
    def errors(self):
        return [fields["error"] for fields in self.lines if "error" in fields]


def begin(nursery, *answers):
    lines: list[dict[str, object]] = []
    log = Log(lambda _level, _name, fields: lines.append(dict(fields)))
    scene = Scene(
        ScriptedHost(list(answers)),
        Watch("alpha", DOMAIN, Rhythm()),
        Listener(),
        lines,
    )
    nursery.start_soon(follow_stats, scene.host, scene.watch, scene.listener, log)
    return scene


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
    evicted = CommandRefusedError("exception while reading from fd")
    scene = begin(nursery, ScriptedSource([frame()], evicted))

    await trio.sleep(0.5)

    (error,) = scene.errors
    assert error == (
        "the host has ended it (exception while reading from fd): somebody else may "
        "have subscribed to user:, and hosts keep one subscriber of each path"
    )


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
