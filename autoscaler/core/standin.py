"""Whether requests come to a backup server once no other one serves.

Before the last member of a group goes to sleep somebody has to know that what
wakes it up is really there.
"""

import enum
from ipaddress import ip_address
from typing import assert_never

from autoscaler.core.backend import Backend, Duty, Health, Place, Server


class Detour(enum.Enum):
    """Why requests don't come to a server, or why nobody can say so."""

    MISSING = "missing"
    NO_BACKUP = "no_backup"
    OFF_DUTY = "off_duty"
    FAILED = "failed"
    UNPROVEN = "unproven"
    BEHIND = "behind"


def find_detour(backend: Backend, place: Place) -> Detour | None:
    """Return what keeps requests from the backup server at *place*, or None.

    Arguments:
        backend: What the balancer has.
        place: Where the backup server listens; an address that means all of
            its machine's, such as ``0.0.0.0``, stands for any.
    """
    backups = [server for server in backend.servers.values() if server.is_backup]
    found = [server for server in backups if _is_at(server, place)]
    if not found:
        others = (s for s in backend.servers.values() if _is_at(s, place))
        return Detour.NO_BACKUP if any(others) else Detour.MISSING
    detours = [_detour(server) for server in found]
    if None not in detours:
        return detours[0]
    # A balancer uses the first of its backup servers that works, and as long as
    # it has not failed it works.
    first = next(server for server in backups if _may_serve(server))
    return None if first in found else Detour.BEHIND


def _is_at(server: Server, place: Place) -> bool:
    is_any = ip_address(place.address).is_unspecified
    address = server.place and server.place.address
    return server.port == place.port and (is_any or address == place.address)


def _may_serve(server: Server) -> bool:
    return server.duty is Duty.READY and server.health is not Health.FAILED


def _detour(server: Server) -> Detour | None:
    if server.duty is not Duty.READY:
        return Detour.OFF_DUTY
    match server.health:
        case Health.FAILED:
            return Detour.FAILED
        case Health.UNPROVEN:
            return Detour.UNPROVEN
        case Health.PASSED:
            return None
        case _:
            assert_never(server.health)
