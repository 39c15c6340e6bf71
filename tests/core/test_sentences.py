"""Decisions in one sentence."""

import pytest
from attrs import evolve

from albatross_client.names import Name
from autoscaler.core.decision import (
    Load,
    MemberClass,
    Outcome,
    Reason,
    Shortage,
    Standing,
)
from autoscaler.core.demand import Signal, SignalKind
from autoscaler.core.describe import explain
from autoscaler.core.policy import Mode
from tests.core.deciding import CLONE, CPU, FLIGHT, LOAD, MEMORY, WEB, decision


def many(count):
    standings = tuple(
        Standing(Name.parse(f"user:web-clone-{n}"), MemberClass.UNKNOWN)
        for n in range(count)
    )
    return Load(standings=standings, quorum=2)


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        pytest.param(
            decision(Reason.PAUSED), "the group is paused: nothing is decided", id="-"
        ),
        pytest.param(decision(Reason.BUSY), "an action is in flight", id="busy"),
        pytest.param(
            decision(Reason.ORPHANED),
            "the primary is gone; what goes on without it: 1 clone",
            id="orphaned",
        ),
        pytest.param(
            decision(Reason.NO_PRIMARY),
            "the primary is gone, and there are no clones",
            id="no primary",
        ),
        pytest.param(
            decision(Reason.ABOVE_MAX, Outcome.DOWN, clones=5, victim=CLONE),
            "there are 5 clones, and at most 4 are wanted: destroy user:web-clone-1",
            id="above max",
        ),
        pytest.param(
            decision(Reason.BELOW_MIN, Outcome.UP, min_clones=2, count=1),
            "there is 1 clone, and at least 2 are wanted: create 1 clone",
            id="below min",
        ),
        pytest.param(
            decision(Reason.NO_DATA, load=Load()),
            "the host has not yet said what runs",
            id="no info",
        ),
        pytest.param(
            decision(Reason.NO_DATA),
            "the host's answers are missing or too old to act on",
            id="old answers",
        ),
        pytest.param(
            decision(Reason.NO_DATA, load=many(1)),
            "0 members report, and 2 are needed; nothing certain is known of "
            "user:web-clone-0",
            id="no quorum",
        ),
        pytest.param(
            decision(Reason.NO_DATA, load=many(5)),
            "0 members report, and 2 are needed; nothing certain is known of "
            "user:web-clone-0, user:web-clone-1, user:web-clone-2 and 2 more",
            id="many missing",
        ),
        pytest.param(
            decision(
                Reason.NO_DATA,
                load=Load(standings=(Standing(CLONE, MemberClass.GIVEN_UP),)),
            ),
            "0 members report, and 1 is needed",
            id="nobody who could",
        ),
        pytest.param(
            decision(
                Reason.NO_DATA,
                shortage=Shortage(Reason.NO_DATA, "policy of the domain"),
            ),
            "the policy of the domain is not known",
            id="no policy",
        ),
        pytest.param(
            decision(Reason.WARMING), "all members have only just started", id="all new"
        ),
        pytest.param(
            decision(Reason.WARMING, left_s=7.6),
            "the mean of those who report, 93.3 %, is above 90 % for 3 ticks, but the "
            "newest clone has only just started (8 s left)",
            id="a new clone",
        ),
        pytest.param(
            decision(
                Reason.GIVEN_UP,
                Outcome.REPLACE,
                victim=CLONE,
                load=Load(standings=(Standing(CLONE, MemberClass.GIVEN_UP),)),
            ),
            "user:web-clone-1 runs, but is silent or starts again and again: replace "
            "user:web-clone-1",
            id="given up",
        ),
        pytest.param(
            decision(Reason.HIGH, Outcome.UP, count=2),
            "the mean of those who report, 93.3 %, is above 90 % for 3 ticks: create "
            "2 clones",
            id="high",
        ),
        pytest.param(
            decision(Reason.HIGH, Outcome.UP, count=1, mode=Mode.OBSERVE),
            "the mean of those who report, 93.3 %, is above 90 % for 3 ticks: would "
            "create 1 clone (only observed)",
            id="observed",
        ),
        pytest.param(
            decision(Reason.RISING),
            "the mean of those who report, 93.3 %, is above 90 %, 1 of 3 ticks so far",
            id="rising",
        ),
        pytest.param(
            decision(Reason.AT_MAX),
            "the mean of those who report, 93.3 %, is above 90 % for 3 ticks, but "
            "there are as many clones as are wanted at most (4)",
            id="at max",
        ),
        pytest.param(
            decision(Reason.BACKOFF, left_s=20.0),
            "the last try failed, and the next one waits (20 s left)",
            id="backoff",
        ),
        pytest.param(
            decision(
                Reason.BLOCK_DEVICE,
                shortage=Shortage(Reason.BLOCK_DEVICE, "block devices", used=2),
            ),
            "one more clone does not fit: the primary has 2 block devices",
            id="block device",
        ),
        pytest.param(
            decision(
                Reason.UNSUPPORTED, shortage=Shortage(Reason.UNSUPPORTED, "bhyve")
            ),
            "one more clone does not fit: a bhyve unikernel can't be cloned",
            id="unsupported",
        ),
        pytest.param(
            decision(Reason.NO_CAPACITY, shortage=MEMORY),
            "one more clone does not fit: a clone needs 32 MB of memory, and 480 of "
            "500 MB are taken in the policy of user",
            id="no capacity",
        ),
        pytest.param(
            decision(Reason.LOW, Outcome.DOWN, victim=CLONE),
            "the mean of all, 36.6 %, is below 40 % for 5 ticks: destroy "
            "user:web-clone-1",
            id="low",
        ),
        pytest.param(
            decision(Reason.FALLING),
            "the mean of all, 36.6 %, is below 40 %, 2 of 5 ticks so far",
            id="falling",
        ),
        pytest.param(
            decision(Reason.WOULD_FLAP),
            "the mean of all, 36.6 %, is below 40 %, but without one clone the others "
            "would come too close to 90 %",
            id="would flap",
        ),
        pytest.param(
            decision(Reason.AT_MIN, min_clones=1),
            "the mean of all, 36.6 %, is below 40 % for 5 ticks, but there are as few "
            "clones as are wanted at least (1)",
            id="at min",
        ),
        pytest.param(
            decision(Reason.MISSING),
            "the mean of all, 36.6 %, is below 40 % for 5 ticks, but nothing certain "
            "is known of user:web-clone-1",
            id="missing",
        ),
        pytest.param(
            decision(Reason.COOLDOWN, left_s=41.2),
            "the mean of those who report, 93.3 %, is above 90 %, but the last change "
            "is too young (41 s left)",
            id="cooldown up",
        ),
        pytest.param(
            decision(Reason.COOLDOWN, load=evolve(LOAD, mean_up=20.0), left_s=41.2),
            "the mean of all, 36.6 %, is below 40 %, but the last change is too young "
            "(41 s left)",
            id="cooldown down",
        ),
        pytest.param(
            decision(Reason.STEADY),
            "the means, 93.3 % of those who report and 36.6 % of all, call for no "
            "change",
            id="steady",
        ),
        pytest.param(
            decision(
                Reason.STEADY, load=Load(mean_up=None), replacement_held=Reason.BACKOFF
            ),
            "the means, unknown of those who report and unknown of all, call for no "
            "change; a given-up clone is not replaced yet (backoff)",
            id="a replacement waits",
        ),
    ],
)
def test_a_decision_is_explained_in_one_sentence(made, sentence):
    assert explain(made) == sentence


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        pytest.param(
            decision(Reason.HIGH, Outcome.UP, count=2, signal=FLIGHT),
            "4 members are wanted for 12 requests in flight (3 each), and there are 2: "
            "create 2 clones",
            id="in flight",
        ),
        pytest.param(
            decision(Reason.STEADY, signal=Signal(SignalKind.IN_FLIGHT, 1.0, 3, 1)),
            "1 member is wanted for 1 request in flight (3 each), and there are 2: "
            "no change",
            id="one in flight",
        ),
        pytest.param(
            decision(Reason.STEADY, signal=Signal(SignalKind.RPS, 4.5, 10, 1)),
            "1 member is wanted for 4.5 requests a second (10 each), and there are 2: "
            "no change",
            id="a second",
        ),
        pytest.param(
            decision(
                Reason.AT_MAX,
                signal=Signal(SignalKind.QUEUE_MS, 250.0, 100, 5),
                load=Load(capacity=1),
            ),
            "5 members are wanted for 250 ms in the queue (at most 100), and there is "
            "1, but there are as many clones as are wanted at most (4)",
            id="a queue",
        ),
        pytest.param(
            decision(
                Reason.LOW,
                Outcome.DOWN,
                signal=FLIGHT,
                victim=WEB,
                more_victims=(CLONE,),
            ),
            "4 members are wanted for 12 requests in flight (3 each), and there are 2: "
            "destroy user:web and user:web-clone-1",
            id="several go",
        ),
        pytest.param(
            decision(Reason.COOLDOWN, signal=CPU, left_s=2.0),
            "3 members are wanted for a mean usage of 95.2 % (limit 90 %), and there "
            "are 2, but the last change is too young (2 s left)",
            id="a cooldown",
        ),
        pytest.param(
            decision(Reason.STABILISING, signal=FLIGHT, left_s=20.0),
            "4 members are wanted for 12 requests in flight (3 each), and there are 2, "
            "but not for long enough (20 s left)",
            id="not for long",
        ),
        pytest.param(
            decision(Reason.WOULD_FLAP, signal=CPU),
            "requests call for fewer, but without one clone the others would come too "
            "close to 90 %",
            id="would flap",
        ),
        pytest.param(
            decision(Reason.NO_SIGNAL, signals=(FLIGHT,)),
            "the balancer doesn't tell all that is asked for (what is known: 4 members "
            "are wanted for 12 requests in flight (3 each))",
            id="half of it",
        ),
        pytest.param(
            decision(Reason.NO_SIGNAL),
            "the balancer doesn't tell all that is asked for",
            id="silent",
        ),
    ],
)
def test_what_requests_call_for_is_explained(made, sentence):
    assert explain(made) == sentence


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_can_be_explained_whatever_else_is_known(reason):
    for load in (Load(), LOAD):
        sentence = explain(decision(reason, load=load))

        assert sentence
        assert "\n" not in sentence
        assert "None" not in sentence


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        pytest.param(
            decision(Reason.SWITCHED_OFF, barred=Reason.HIGH),
            "an action is due (high), but that is switched off",
            id="switched off",
        ),
        pytest.param(
            decision(Reason.STATE_UNWRITABLE, barred=Reason.BELOW_MIN),
            "an action is due (below min), but the state can't be written",
            id="unwritable",
        ),
        pytest.param(
            decision(Reason.CONTESTED),
            "somebody else keeps taking the statistics of this domain",
            id="contested stream",
        ),
        pytest.param(
            decision(Reason.CONTESTED, barred=Reason.LOW, left_s=500.0),
            "an action is due (low), but somebody else changes these clones too "
            "(500 s left)",
            id="contested group",
        ),
        pytest.param(
            decision(
                Reason.SUSPECTED_OUTAGE,
                barred=Reason.LOW,
                age_s=40.0,
                left_s=560.0,
                evidence="the packets of 2 members collapsed",
            ),
            "an action is due (low), but this looks like an outage (the packets of 2 "
            "members collapsed), for 40 s (560 s left)",
            id="outage",
        ),
        pytest.param(
            decision(Reason.STOOD_DOWN, barred=Reason.HIGH, left_s=60.0),
            "an action is due (high), but the group did or failed too much and only "
            "observes (60 s left)",
            id="stood down",
        ),
        pytest.param(
            decision(Reason.NO_EFFECT, evidence="web-clone-1 uses 0.0 %"),
            "more clones would not help: web-clone-1 uses 0.0 %",
            id="no effect",
        ),
        pytest.param(
            decision(Reason.USELESS, Outcome.DOWN, victim=CLONE),
            "a clone gets no work: destroy user:web-clone-1",
            id="useless",
        ),
        pytest.param(
            decision(Reason.ROLLOUT, Outcome.REPLACE, victim=CLONE),
            "the primary has another image: replace user:web-clone-1",
            id="rollout",
        ),
        pytest.param(
            decision(Reason.IMAGE_UNHEALTHY, left_s=20.0),
            "the last clone of the primary's new image failed (20 s left)",
            id="unhealthy",
        ),
    ],
)
def test_what_holds_says_what_it_holds_and_for_how_long(made, sentence):
    assert explain(made) == sentence
