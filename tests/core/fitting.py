"""Where clones fit."""

from typing import Any

from attrs import evolve

from albatross_client.names import Name
from autoscaler.core.actions import Slot
from autoscaler.core.capacity import find_slots
from autoscaler.core.decision import Shortage
from autoscaler.core.group import Group
from autoscaler.core.view import Listing, View
from tests.core.builders import (
    NOW,
    make_rules,
    make_world,
)

# The world of these tests: the primary on cpuid 0, one clone on 1, and a
# neighbour on 31, each with 32 MB.


def found(view: View | None = None, group: Group | None = None, count: int = 1):
    """Return what is found for the group of one clone."""
    usual_group, usual_view = make_world(50.0, 50.0)
    return find_slots(group or usual_group, view or usual_view, count)


def view_with(**changes: Any) -> View:
    """Return the usual view with other rules for the domain."""
    view = make_world(50.0, 50.0)[1]
    return evolve(view, rules=make_rules(**changes))


def listing_with(view: View, **infos: Any) -> View:
    """Return *view* with changed or added infos, by label."""
    assert view.listing is not None
    added = {Name(("user",), label): info for label, info in infos.items()}
    listed = {n: i for n, i in {**view.listing.infos, **added}.items() if i is not None}
    return evolve(view, listing=Listing(listed, NOW, NOW))


def cpuids(result: tuple[Slot, ...] | Shortage) -> list[set[int]]:
    assert not isinstance(result, Shortage), result
    return [set(slot.claim.cpuids) for slot in result]
