"""What decisions are called: short enough to be read out, and never used twice.

An id is when it was given, in milliseconds, as eight letters and digits of
which none looks like another: ``3tq7-k29x``.  Later ones sort after earlier.
"""

from attrs import evolve

from autoscaler.core.events import Note, NoteKind
from autoscaler.core.group import Group
from autoscaler.core.step import Effect

# 2020-01-01: eight digits reach to the year 2054, then there are nine.
EPOCH_S = 1_577_836_800
# Crockford's base 32: without i, l, o and u.
DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"
LENGTH = 8
GROUP = 4


def next_number(last: int, wall: float) -> int:
    """Return a number after *last*: at *wall*, seconds since 1970, or later.

    Several of one millisecond, and those given while the clock is set back,
    count on.
    """
    return max(last + 1, int((wall - EPOCH_S) * 1000))


def write_id(number: int) -> str:
    """Return the id that *number*, at least 0, is written as."""
    digits = ""
    while number:
        number, digit = divmod(number, len(DIGITS))
        digits = DIGITS[digit] + digits
    digits = digits.rjust(LENGTH, DIGITS[0])
    return f"{digits[:-GROUP]}-{digits[-GROUP:]}"


def read_id(text: str) -> int:
    """Return the number of an id.

    Raises:
        ValueError: *text* is no id.
    """
    number = 0
    for letter in text.replace("-", "", 1):
        number = number * len(DIGITS) + DIGITS.index(letter)
    if write_id(number) != text:
        msg = f"{text!r} is no id of a decision"
        raise ValueError(msg)
    return number


def name_decision(
    before: Group, after: Group, effects: tuple[Effect, ...], decision_id: str | None
) -> tuple[Group, tuple[Effect, ...]]:
    """Return *after* and *effects* with what was just decided called so.

    Arguments:
        before: The group before.
        after: The group since.
        effects: What is to be done.
        decision_id: Of the decision, and of all that follows from it.
    """
    if after.decision is None or after.decision is before.decision:
        return after, effects
    named = tuple(_named(effect, decision_id) for effect in effects)
    ledger = after.ledger
    if ledger.next_action > before.ledger.next_action:
        begun = {each.id: each for each in named if not isinstance(each, Note)}
        actions = tuple(begun.get(action.id, action) for action in ledger.actions)
        ledger = evolve(ledger, actions=actions)
    decision = evolve(after.decision, id=decision_id)
    return evolve(after, decision=decision, ledger=ledger), named


def _named(effect: Effect, decision_id: str | None) -> Effect:
    if not isinstance(effect, Note):
        return evolve(effect, decision_id=decision_id)
    if effect.kind is not NoteKind.PROMOTED or decision_id is None:
        return effect
    return evolve(effect, evidence=(*effect.evidence, ("decision_id", decision_id)))
