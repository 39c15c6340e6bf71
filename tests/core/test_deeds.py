import pytest
from attrs import evolve

from autoscaler.core.actions import ReplaceClone
from autoscaler.core.decision import Reason
from autoscaler.core.deeds import describe_action
from tests.shell.kept import CLONE, creation, destruction


@pytest.mark.parametrize(
    ("action", "words"),
    [
        pytest.param(creation(), "create user:web-clone-1", id="create"),
        pytest.param(evolve(creation(), slots=()), "create clones", id="all created"),
        pytest.param(destruction(), "destroy user:web-clone-1", id="destroy"),
        pytest.param(
            ReplaceClone(
                id=1,
                reason=Reason.GIVEN_UP,
                slots=creation(2).slots,
                victim=CLONE,
                create_first=True,
            ),
            "replace: create user:web-clone-2, destroy user:web-clone-1",
            id="replace",
        ),
        pytest.param(
            ReplaceClone(
                id=1, reason=Reason.GIVEN_UP, slots=(), victim=CLONE, create_first=True
            ),
            "replace: destroy user:web-clone-1",
            id="half replaced",
        ),
    ],
)
def test_an_action_is_told_in_words(action, words):
    assert describe_action(action) == words
