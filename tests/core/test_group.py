"""Tests of what a group remembers."""

import pytest

from albatross_client.names import Name
from autoscaler.core.group import (
    Group,
    GroupId,
    new_group,
)
from autoscaler.core.ledger import Backoff, Ledger
from tests.core.builders import (
    GROUP,
    IMAGE,
    OTHER_IMAGE,
    clone_name,
    creating,
    make_policy,
    make_world,
)


def failed(times: int, digest: bytes = IMAGE, backoff: Backoff | None = None):
    """Return the pause after *times* failures, one at 100, 200, ..."""
    backoff = backoff or Backoff()
    for attempt in range(1, times + 1):
        backoff = backoff.after_failure(digest, 1.0, 100.0 * attempt)
    return backoff


def test_a_group_is_written_as_its_host_and_its_primary():
    assert str(GROUP) == "alpha/user:web"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        pytest.param("user:web-clone-1", 1, id="a clone"),
        pytest.param("user:web-clone-0", 0, id="zero"),
        pytest.param("user:web-clone-120", 120, id="a long number"),
        pytest.param("user:web-clone-01", None, id="a padded number"),
        pytest.param("user:web-clone-", None, id="no number"),
        pytest.param("user:web-clone-1x", None, id="something after it"),
        pytest.param("user:web", None, id="the primary"),
        pytest.param("user:xweb-clone-1", None, id="another label"),
        pytest.param("other:web-clone-1", None, id="another domain"),
        pytest.param("user:", None, id="the domain"),
    ],
)
def test_clones_are_known_by_their_names(text, number):
    assert GROUP.number_of(Name.parse(text)) == number


def test_a_dot_in_a_label_is_only_a_dot():
    group = GroupId("alpha", Name(("user",), "a.b"))

    assert group.number_of(Name(("user",), "axb-clone-1")) is None
    assert group.number_of(group.clone(3)) == 3


def test_clones_and_reservations_are_counted_together():
    group, _ = make_world(50.0, 50.0, ledger=Ledger(actions=(creating(2, 3),)))

    assert group.clones_and_slots == 3
    assert [member.name for member in group.members] == [GROUP.name, clone_name(1)]


def test_a_new_group_has_only_a_primary():
    group = new_group(GROUP, make_policy())

    assert isinstance(group, Group)
    assert [member.name for member in group.members] == [GROUP.name]
    assert group.clones_and_slots == 0
    assert group.decision is None


def test_a_backoff_doubles_from_ten_seconds_to_ten_minutes():
    lengths = [failed(times).length for times in range(1, 9)]

    assert lengths == [10, 20, 40, 80, 160, 320, 600, 600]


def test_a_backoff_of_very_many_failures_is_ten_minutes():
    assert failed(5000).length == 600


def test_a_backoff_is_stretched_by_its_jitter():
    assert Backoff().after_failure(IMAGE, 1.2, 0).length == pytest.approx(12)


@pytest.mark.parametrize(("now", "left"), [(100, 10), (109, 1), (110, 0), (1000, 0)])
def test_a_backoff_holds_from_the_failure_on(now, left):
    assert failed(1).left(now) == left


def test_no_failure_holds_nothing():
    assert Backoff().left(0) == 0


def test_another_image_starts_afresh():
    again = failed(1, OTHER_IMAGE, failed(5))

    assert (again.failures, again.length, again.digest) == (1, 10, OTHER_IMAGE)


def test_a_failure_whose_image_is_not_known_counts_on():
    """A host that cannot be reached tells no digest; it must not be stormed."""
    unknown = failed(1, b"", failed(2))
    known = failed(1, IMAGE, failed(2, b""))

    assert (unknown.failures, unknown.digest) == (3, IMAGE)
    assert (known.failures, known.digest) == (3, IMAGE)
