"""Tests of whether a backup server gets what nobody else serves."""

import pytest

from autoscaler.core.backend import Backend, Duty, Health, Place, Server
from autoscaler.core.standin import Detour, find_detour

PLACE = Place("127.0.0.1", 8081)


def server(name="activator", *, at=PLACE, **changes):
    fields = {
        "name": name,
        "address": at.address,
        "port": at.port,
        "duty": Duty.READY,
        "health": Health.PASSED,
        "is_backup": True,
    }
    return Server(**{**fields, **changes})


def shown(*servers):
    return Backend(at=0.0, servers={each.name: each for each in servers})


OTHER = Place("127.0.0.1", 9999)
SORRY = server("sorry", at=OTHER)


@pytest.mark.parametrize(
    ("servers", "detour"),
    [
        pytest.param((server(),), None, id="there and up"),
        pytest.param((), Detour.MISSING, id="nothing"),
        pytest.param((SORRY,), Detour.MISSING, id="another backup alone"),
        pytest.param((server(is_backup=False),), Detour.NO_BACKUP, id="no backup"),
        pytest.param((server(duty=Duty.DRAIN),), Detour.OFF_DUTY, id="drained"),
        pytest.param((server(duty=Duty.MAINT),), Detour.OFF_DUTY, id="at rest"),
        pytest.param((server(health=Health.FAILED),), Detour.FAILED, id="down"),
        pytest.param((server(health=Health.UNPROVEN),), Detour.UNPROVEN, id="no check"),
        pytest.param((server(), SORRY), None, id="before another"),
        pytest.param((SORRY, server()), Detour.BEHIND, id="behind another"),
        pytest.param(
            (server("sorry", at=OTHER, health=Health.FAILED), server()),
            None,
            id="behind one that is down",
        ),
        pytest.param(
            (server("sorry", at=OTHER, health=Health.UNPROVEN), server()),
            Detour.BEHIND,
            id="behind one that may be up",
        ),
        pytest.param(
            (server("old", duty=Duty.MAINT), server()), None, id="twice, once at rest"
        ),
    ],
)
def test_the_backup_server_is_in_the_path_or_it_is_told_why_not(servers, detour):
    assert find_detour(shown(*servers), PLACE) is detour


def test_a_wildcard_stands_for_any_address_of_its_machine():
    seen = shown(server(at=Place("192.0.2.7", 8081)))

    assert find_detour(seen, Place("0.0.0.0", 8081)) is None  # noqa: S104 - no bind
    assert find_detour(seen, Place("::", 8081)) is None
    assert find_detour(seen, PLACE) is Detour.MISSING
