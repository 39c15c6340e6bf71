"""What each reason says to an operator: why, how many, and what is missing.

The texts are in `telling.txt`, to be read as an operator would.
"""

from pathlib import Path

import pytest

from autoscaler.core.decision import Reason
from autoscaler.core.events import Ticked
from tests.core.telling import (
    CASES,
    EVENTS,
    recorded,
    text,
)

GOLDEN = Path(__file__).with_name("telling.txt")


def texts() -> dict[str, str]:
    """Return the golden text of each reason."""
    parts = GOLDEN.read_text().strip().split("\n\n")
    return dict(part.split("\n", 1) for part in parts)


def test_every_reason_has_its_text():
    assert set(texts()) == {reason.value for reason in Reason}
    assert set(CASES) == set(Reason)


@pytest.mark.parametrize("reason", CASES, ids=lambda reason: reason.value)
def test_each_reason_says_why_how_many_and_what_is_missing(reason):
    group, view = CASES[reason]
    record = recorded(group, view, EVENTS.get(reason, Ticked)(view))

    assert record.decision.reason is reason
    assert text(record) == texts()[reason.value]
