"""What is known of one domain of one host."""

import pytest

from albatross_client.heard import Heard
from albatross_client.values import Timestamp
from autoscaler.core.rhythm import Rhythm
from autoscaler.core.track import Verdict
from autoscaler.shell.hosts.watch import FORGET_S, Watch
from tests.core.builders import (
    DOMAIN,
    NEIGHBOUR,
    PRIMARY,
    clone_name,
    make_info,
    make_sample,
)


@pytest.fixture
async def watch():
    """A watch whose stream began at 0; it needs a running trio."""
    watch = Watch("alpha", DOMAIN, Rhythm(configured=10.0))
    watch.open(0.0)
    return watch


def hear(watch, at, cpu_us=0, name=PRIMARY):
    return watch.hear(Heard(name, make_sample(cpu_us), at))


def started(second):
    return make_info(started=Timestamp(second * 1000))


async def test_an_answer_to_an_older_question_is_dropped(watch):
    watch.take_infos({PRIMARY: make_info()}, 10, 11, 0)
    watch.take_infos({}, 5, 12, 0)

    assert watch.listing.asked == 10
    assert PRIMARY in watch.listing.infos


async def test_what_is_gone_for_long_is_forgotten(watch):
    hear(watch, 10.0)
    hear(watch, 10.0, name=NEIGHBOUR)
    watch.take_infos({PRIMARY: make_info()}, 20, 20, 0)
    before = set(watch.tracks)
    watch.take_infos({PRIMARY: make_info()}, 700, 700 + FORGET_S, 0)

    assert before == {PRIMARY, NEIGHBOUR}
    assert set(watch.tracks) == {PRIMARY}


@pytest.mark.parametrize(
    ("wall", "began"),
    [
        pytest.param(1100.0, 400.0, id="clocks-agree"),
        pytest.param(900.0, 500.0, id="host-ahead"),
        pytest.param(4600.0, -3100.0, id="host-behind"),
    ],
)
async def test_a_start_is_never_in_the_future(watch, wall, began):
    watch.take_infos({PRIMARY: started(1000)}, 500, 500, wall)

    assert watch.tracks[PRIMARY].began == began


async def test_usage_is_of_all_cpus(watch):
    watch.take_infos({PRIMARY: make_info(numcpus=2)}, 0, 0, 0)
    hear(watch, 10.0)

    assert hear(watch, 20.0, 19_000_000) is Verdict.COUNTED


async def test_whoever_waits_for_a_first_frame_is_told(watch):
    awaited = watch.first_frame(clone_name(1))
    hear(watch, 10.0)
    before = awaited.is_set()
    hear(watch, 10.0, name=clone_name(1))

    assert not before
    assert awaited.is_set()
    assert not watch.first_frame(clone_name(1)).is_set()
