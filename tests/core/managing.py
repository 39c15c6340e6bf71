"""Managed groups."""

from autoscaler.core.decision import MemberClass
from tests.core.builders import (
    MANAGED,
    rule,
)

DEAD, GIVEN_UP = MemberClass.DEAD, MemberClass.GIVEN_UP


def named(number):
    return MANAGED.clone(number)


def outcome(group, view):
    decision = rule(group, view).decision
    return decision.outcome, decision.reason
