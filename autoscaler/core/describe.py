"""Decisions for people: one sentence that says why, and what is missing to act.

Whatever a host has named is cleaned where it becomes text.
"""

from collections.abc import Callable, Mapping
from typing import assert_never

from albatross_client.names import Name
from autoscaler.core.calls import describe_call, describe_signal
from autoscaler.core.decision import Decision, MemberClass, Outcome, Reason
from autoscaler.core.policy import Mode
from autoscaler.core.shortages import (
    counted,
    describe_shortage,
)
from autoscaler.core.standby_words import (
    beside,
    describe_growth,
    describe_held,
    describe_number,
    describe_surplus,
    describe_unready,
)

# As many members are named in a sentence.
MOST_NAMED = 3


def explain(decision: Decision) -> str:
    """Return in one sentence why *decision* is what it is.

    For a decision to hold it says what is missing to act.
    """
    why = _SENTENCES[decision.reason](decision)
    what = _consequence(decision)
    sentence = f"{why}: {what}" if what else why
    if decision.rollout is not None:
        done, of = decision.rollout
        sentence = f"{sentence}; {done} of {_clones(decision, of)} have the new image"
    standbys = describe_held(decision)
    if standbys is not None:
        sentence = f"{sentence}; {standbys}"
    held = decision.replacement_held
    if held is None:
        return sentence
    words = held.value.replace("_", " ")
    return f"{sentence}; a given-up {_clone(decision)} is not replaced yet ({words})"


def _consequence(decision: Decision) -> str | None:
    """Return what is done about it, None for a decision to hold."""
    match decision.outcome:
        case Outcome.HOLD:
            return None
        case Outcome.UP:
            what = describe_growth(decision, _clones(decision, decision.count))
        case Outcome.DOWN:
            more = "".join(f" and {name}" for name in decision.more_victims)
            what = f"destroy {decision.victim}{more}"
        case Outcome.REPLACE:
            what = f"replace {decision.victim}"
        case _:
            assert_never(decision.outcome)
    is_active = decision.mode is Mode.ACTIVE
    return what if is_active else f"would {what} (only observed)"


def _high(decision: Decision) -> str:
    return (
        f"the mean of those who report, {_percent(decision.load.mean_up)}, is above "
        f"{decision.up_threshold:g} %"
    )


def _low(decision: Decision) -> str:
    return (
        f"the mean of all, {_percent(decision.load.mean_down)}, is below "
        f"{decision.down_threshold:g} %"
    )


def _many_high(decision: Decision) -> str:
    called = describe_call(decision)
    if called is not None:
        return called
    return f"{_high(decision)} for {counted(decision.high_needed, 'tick')}"


def _many_low(decision: Decision) -> str:
    called = describe_call(decision)
    if called is not None:
        return called
    return f"{_low(decision)} for {counted(decision.low_needed, 'tick')}"


def _at_max(decision: Decision) -> str:
    return (
        f"{_many_high(decision)}, but there are as many {_clone(decision)}s as are "
        f"wanted at most ({decision.max_clones})"
    )


def _rising(decision: Decision) -> str:
    return f"{_high(decision)}, {decision.high} of {decision.high_needed} ticks so far"


def _falling(decision: Decision) -> str:
    return f"{_low(decision)}, {decision.low} of {decision.low_needed} ticks so far"


def _at_min(decision: Decision) -> str:
    return (
        f"{_many_low(decision)}, but there are as few {_clone(decision)}s as are "
        f"wanted at least ({decision.min_clones})"
    )


def _would_flap(decision: Decision) -> str:
    low = _low(decision) if decision.signal is None else "requests call for fewer"
    return (
        f"{low}, but without one {_clone(decision)} the others would come "
        f"too close to {decision.up_threshold:g} %"
    )


def _missing(decision: Decision) -> str:
    return f"{_many_low(decision)}, but nothing certain is known of {_absent(decision)}"


def _cooldown(decision: Decision) -> str:
    called = describe_call(decision)
    if called is not None:
        return f"{called}, but the last change is too young{_left(decision)}"
    load = decision.load.mean_up
    is_high = load is not None and load > decision.up_threshold
    side = _high(decision) if is_high else _low(decision)
    return f"{side}, but the last change is too young{_left(decision)}"


def _warming(decision: Decision) -> str:
    if decision.left_s is None:
        return "all members have only just started"
    return (
        f"{_many_high(decision)}, but the newest {_clone(decision)} has only just "
        f"started{_left(decision)}"
    )


def _backoff(decision: Decision) -> str:
    return f"the last try failed, and the next one waits{_left(decision)}"


def _no_data(decision: Decision) -> str:
    load = decision.load
    if decision.shortage is not None:
        return describe_shortage(decision.shortage, _clone(decision))
    if not load.standings:
        return "the host has not yet said what runs"
    if load.is_conclusive:
        return "the host's answers are missing or too old to act on"
    report = f"{load.fresh} {'member reports' if load.fresh == 1 else 'members report'}"
    needed = f"{load.quorum} {'is' if load.quorum == 1 else 'are'} needed"
    absent = _absent(decision)
    unknown = f"; nothing certain is known of {absent}" if absent else ""
    return f"{report}, and {needed}{unknown}"


def _short(decision: Decision) -> str:
    if decision.shortage is None:
        return f"one more {_clone(decision)} does not fit ({decision.reason.value})"
    shortage = describe_shortage(decision.shortage, _clone(decision))
    return f"one more {_clone(decision)} does not fit: {shortage}{_left(decision)}"


def _orphaned(decision: Decision) -> str:
    clones = counted(decision.clones, "clone")
    return f"the primary is gone; what goes on without it: {clones}"


def _above_max(decision: Decision) -> str:
    there = f"{_there_are(decision)}{beside(decision)}"
    return f"{there}, and at most {decision.max_clones} are wanted"


def _below_min(decision: Decision) -> str:
    return f"{_there_are(decision)}, and at least {decision.min_clones} are wanted"


def _given_up(decision: Decision) -> str:
    given_up = decision.load.names(MemberClass.GIVEN_UP)
    who = _names(given_up) or f"a {_clone(decision)}"
    return f"{who} runs, but is silent or starts again and again"


def _switched_off(decision: Decision) -> str:
    return f"{_wanted(decision)}, but that is switched off"


def _state_unwritable(decision: Decision) -> str:
    return f"{_wanted(decision)}, but the state can't be written"


def _contested(decision: Decision) -> str:
    if decision.barred is None:
        return "somebody else keeps taking the statistics of this domain"
    return (
        f"{_wanted(decision)}, but somebody else changes these {_clone(decision)}s too"
        f"{_left(decision)}"
    )


def _suspected_outage(decision: Decision) -> str:
    return (
        f"{_wanted(decision)}, but this looks like an outage"
        f"{'' if decision.evidence is None else f' ({decision.evidence})'}"
        f"{_age(decision)}{_left(decision)}"
    )


def _stood_down(decision: Decision) -> str:
    return (
        f"{_wanted(decision)}, but the group did or failed too much and only "
        f"observes{_left(decision)}"
    )


def _no_effect(decision: Decision) -> str:
    why = _no_work(decision)
    return f"more {_clone(decision)}s would not help: {why}{_left(decision)}"


def _no_work(decision: Decision) -> str:
    return decision.evidence or f"a {_clone(decision)} gets no work"


def _image_unhealthy(decision: Decision) -> str:
    whose = "the new image" if decision.is_managed else "the primary's new image"
    return f"the last {_clone(decision)} of {whose} failed{_left(decision)}"


def _rollout(decision: Decision) -> str:
    if decision.is_managed:
        return "there is a new image"
    return "the primary has another image"


def _stabilising(decision: Decision) -> str:
    called = describe_call(decision) or "fewer members are wanted"
    return f"{called}, but not for long enough{_left(decision)}"


def _no_signal(decision: Decision) -> str:
    known = "; ".join(describe_signal(signal) for signal in decision.signals)
    told = f" (what is known: {known})" if known else ""
    return f"the balancer doesn't tell all that is asked for{told}"


def _idle(decision: Decision) -> str:
    return f"nobody has asked for it for {decision.age_s or 0.0:.0f} s"


def _steady(decision: Decision) -> str:
    called = describe_call(decision)
    if called is not None:
        return f"{called}: no change"
    load = decision.load
    return (
        f"the means, {_percent(load.mean_up)} of those who report and "
        f"{_percent(load.mean_down)} of all, call for no change"
    )


_SENTENCES: Mapping[Reason, Callable[[Decision], str]] = {
    Reason.PAUSED: lambda _: "the group is paused: nothing is decided",
    Reason.BUSY: lambda _: "an action is in flight",
    Reason.ORPHANED: _orphaned,
    Reason.NO_PRIMARY: lambda _: "the primary is gone, and there are no clones",
    Reason.ABOVE_MAX: _above_max,
    Reason.BELOW_MIN: _below_min,
    Reason.NO_DATA: _no_data,
    Reason.WARMING: _warming,
    Reason.GIVEN_UP: _given_up,
    Reason.HIGH: _many_high,
    Reason.RISING: _rising,
    Reason.AT_MAX: _at_max,
    Reason.BACKOFF: _backoff,
    Reason.BLOCK_DEVICE: _short,
    Reason.UNSUPPORTED: _short,
    Reason.NO_CAPACITY: _short,
    Reason.NO_ADDRESS: _short,
    Reason.LOW: _many_low,
    Reason.FALLING: _falling,
    Reason.WOULD_FLAP: _would_flap,
    Reason.AT_MIN: _at_min,
    Reason.MISSING: _missing,
    Reason.COOLDOWN: _cooldown,
    Reason.SWITCHED_OFF: _switched_off,
    Reason.STATE_UNWRITABLE: _state_unwritable,
    Reason.CONTESTED: _contested,
    Reason.SUSPECTED_OUTAGE: _suspected_outage,
    Reason.STOOD_DOWN: _stood_down,
    Reason.NO_EFFECT: _no_effect,
    Reason.USELESS: _no_work,
    Reason.ROLLOUT: _rollout,
    Reason.IMAGE_UNHEALTHY: _image_unhealthy,
    Reason.PRIMARY_LOST: _orphaned,
    Reason.ASLEEP: lambda _: "there are no members, and none are wanted now",
    Reason.IDLE: _idle,
    Reason.NO_ACTIVATOR: lambda _: (
        "nobody asks for it, but the balancer doesn't have what would wake it: the "
        "activator must be its first backup server that works"
    ),
    Reason.OPERATOR: lambda decision: decision.evidence or "an operator asks for it",
    Reason.STANDBY_UNREADY: describe_unready,
    Reason.STANDBY_FAILED: lambda _: "a standby fails its checks, or is silent",
    Reason.REFILL: describe_number,
    Reason.SURPLUS: describe_surplus,
    Reason.WAKE: lambda _: "somebody asks for it, and there are no members",
    Reason.STABILISING: _stabilising,
    Reason.NO_SIGNAL: _no_signal,
    Reason.STEADY: _steady,
}


def _absent(decision: Decision) -> str:
    return _names(decision.load.missing)


def _there_are(decision: Decision) -> str:
    verb = "is" if decision.clones == 1 else "are"
    return f"there {verb} {_clones(decision, decision.clones)}"


def _names(names: tuple[Name, ...]) -> str:
    named = ", ".join(map(str, names[:MOST_NAMED]))
    more = len(names) - MOST_NAMED
    return f"{named} and {more} more" if more > 0 else named


def _left(decision: Decision) -> str:
    return "" if decision.left_s is None else f" ({decision.left_s:.0f} s left)"


def _age(decision: Decision) -> str:
    return "" if decision.age_s is None else f", for {decision.age_s:.0f} s"


def _wanted(decision: Decision) -> str:
    """Return in words what would be done, were it not held."""
    barred = decision.barred or decision.reason
    return f"an action is due ({barred.value.replace('_', ' ')})"


def _percent(mean: float | None) -> str:
    return "unknown" if mean is None else f"{mean:.1f} %"


def _clone(decision: Decision) -> str:
    return "member" if decision.is_managed else "clone"


def _clones(decision: Decision, number: int) -> str:
    return counted(number, _clone(decision))
