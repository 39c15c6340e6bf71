"""How much of the work members get, by what they use."""

import pytest
from attrs import evolve

from autoscaler.core.decision import MemberClass
from autoscaler.core.places import find_places
from autoscaler.core.serving import ServePolicy, WeightPolicy
from autoscaler.core.track import Track
from autoscaler.core.traffic import Traffic
from autoscaler.core.view import View
from autoscaler.core.weights import LEAST, MOST, NO_SCORES, PAGE_BYTES, Score, weigh
from tests.core.builders import (
    NOW,
    clone_name,
    listed,
    make_listing,
    make_moment,
    make_sample,
    make_world,
)

CPU_ALONE = WeightPolicy(cpu=1, memory=0, network=0, smoothing=1)
MB = 1024 * 1024


def heard(view: View, number: int, at: float = NOW, **fields) -> View:
    """Return *view* with a newer frame of a clone."""
    name = clone_name(number)
    packets, rss = fields.pop("packets", None), fields.pop("rss_pages", None)
    track = view.tracks.get(name, Track())
    track = evolve(
        track, sample=evolve(make_sample(0), rss_pages=rss), heard=make_moment(at)
    )
    if packets is not None:
        track = evolve(track, traffic=Traffic(before=(0, 0), last=(1, packets)))
    return evolve(view, tracks={**view.tracks, name: track})


def weights(scores):
    return {label: score.weight for label, score in scores.items()}


def test_who_uses_less_gets_more():
    group, view = make_world(50.0, 20.0, 80.0)

    scores = weigh(NO_SCORES, CPU_ALONE, group, view, NOW)

    assert weights(scores) == {"web-clone-1": 80, "web-clone-2": 20}


def test_nobody_starves_and_nobody_is_flooded():
    group, view = make_world(50.0, 0.0, 100.0)

    scores = weigh(NO_SCORES, CPU_ALONE, group, view, NOW)

    assert weights(scores) == {"web-clone-1": MOST, "web-clone-2": LEAST}


def test_memory_counts_by_what_is_resident_of_it():
    group, view = make_world(50.0, 0.0)
    info = view.info(clone_name(1))
    assert info is not None
    view = heard(view, 1, rss_pages=info.memory * MB // PAGE_BYTES // 2)
    policy = WeightPolicy(cpu=0, memory=1, network=0)

    assert weights(weigh(NO_SCORES, policy, group, view, NOW)) == {"web-clone-1": 50}


def test_packets_count_beside_those_of_the_busiest():
    group, view = make_world(50.0, 0.0, 0.0)
    view = heard(heard(view, 1, packets=100), 2, packets=25)
    policy = WeightPolicy(cpu=0, memory=0, network=1)

    scores = weigh(NO_SCORES, policy, group, view, NOW)

    assert weights(scores) == {"web-clone-1": LEAST, "web-clone-2": 75}


def test_a_weight_moves_slowly():
    group, view = make_world(50.0, 100.0)
    before = {"web-clone-1": Score(0.0, NOW - 10, MOST)}
    view = heard(view, 1)

    scores = weigh(before, evolve(CPU_ALONE, smoothing=0.3), group, view, NOW)

    assert scores["web-clone-1"].load == pytest.approx(0.3)
    assert weights(scores) == {"web-clone-1": 70}


def test_a_small_change_is_not_told():
    group, view = make_world(50.0, 23.0)
    before = {"web-clone-1": Score(0.2, NOW - 10, 80)}

    scores = weigh(before, CPU_ALONE, group, heard(view, 1), NOW)

    assert weights(scores) == {"web-clone-1": 80}


def test_one_reading_counts_once():
    group, view = make_world(50.0, 100.0)
    view = heard(view, 1)
    policy = evolve(CPU_ALONE, smoothing=0.5)
    once = weigh({"web-clone-1": Score(0.0, NOW - 5, MOST)}, policy, group, view, NOW)

    assert weigh(once, policy, group, view, NOW) == once


@pytest.mark.parametrize(
    ("age", "kept"),
    [
        pytest.param(29.0, True, id="for a while"),
        pytest.param(31.0, False, id="no more"),
    ],
)
def test_who_is_not_heard_keeps_its_weight_for_a_while(age, kept):
    group, view = make_world(50.0, MemberClass.STALE)
    before = {"web-clone-1": Score(0.5, NOW - age, 50)}

    scores = weigh(before, CPU_ALONE, group, view, NOW)

    assert ("web-clone-1" in scores) is kept


def test_who_is_gone_has_no_weight():
    group, view = make_world(50.0)

    assert (
        weigh({"web-clone-9": Score(0.5, NOW, 50)}, CPU_ALONE, group, view, NOW) == {}
    )


def test_a_server_has_the_weight_of_its_member():
    group, _ = make_world(50.0, 20.0, 80.0)
    clones = tuple(
        evolve(clone, address=f"10.0.0.{clone.number}") for clone in group.clones
    )
    group, serving = evolve(group, clones=clones), ServePolicy(port=80)

    plain = find_places(group, serving)
    weighed = find_places(
        group,
        evolve(serving, weights=CPU_ALONE),
        {"web-clone-1": Score(0.4, NOW, 60)},
    )

    assert [wish.weight for wish in plain.values()] == [None, None]
    assert [wish.weight for wish in weighed.values()] == [60, MOST]


@pytest.mark.parametrize(
    "wrong", [{"cpu": 0, "memory": 0, "network": 0}, {"cpu": 1.5}, {"smoothing": 0}]
)
def test_weights_that_say_nothing_are_refused(wrong):
    with pytest.raises(ValueError):  # noqa: PT011 - each has a sentence of its own
        WeightPolicy(**wrong)


def test_who_is_not_listed_is_not_weighed():
    """The host restarts it: how much memory it has is not known."""
    group, view = make_world(50.0, 20.0, 80.0)
    infos = listed(view)
    del infos[clone_name(1)]

    view = evolve(view, listing=make_listing(infos))

    assert weights(weigh(NO_SCORES, CPU_ALONE, group, view, NOW)) == {"web-clone-2": 20}
