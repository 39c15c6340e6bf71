"""The state in one look, and its JSON: what every program is told alike."""

from attrs import frozen

from autoscaler.core.decision import Requests, Service
from autoscaler.core.deeds import describe_action
from autoscaler.core.describe import explain
from autoscaler.core.moments import Clocks
from autoscaler.core.numbers import fields
from autoscaler.core.record_form import sizes_form
from autoscaler.shell.clock import boot_clock, boot_id, wall_clock
from autoscaler.shell.configuration.settings import Settings
from autoscaler.shell.operators.status_report import (
    ActionLine,
    GroupLine,
    Report,
    Said,
    report,
)
from autoscaler.shell.state.lock import Holder, holder
from autoscaler.shell.state.reader import State, read_state


@frozen
class Shown:
    """What is shown: the daemon, its groups and its streams, at one instant."""

    daemon: Holder | None
    report: Report
    state: State
    wall: float


def look(settings: Settings) -> Shown:
    """Return how everything of *settings* is, by what the state says.

    Blocks while it reads.

    Raises:
        StoreError: The state can't be read.
    """
    directory = settings.deployment.state_dir
    daemon, state = holder(directory), read_state(directory)
    # Nothing here is monotonic: ages are of stamps alone.
    clocks = Clocks(0.0, boot_id(), boot_clock(), wall_clock())
    return Shown(daemon, report(settings, state, clocks), state, clocks.wall)


def as_json(shown: Shown) -> dict[str, object]:
    """Return *shown* as values that JSON has."""
    groups = [group_json(line, shown.wall) for line in shown.report.groups]
    form = whole_json(shown)
    # Where a reader looks for it: after the daemon.
    return {"daemon": form.pop("daemon"), "groups": groups, **form}


def whole_json(shown: Shown) -> dict[str, object]:
    """Return what of *shown* is of no group."""
    daemon = shown.daemon
    return {
        "daemon": {"running": daemon is not None, "pid": daemon and daemon.pid},
        "stranded": [
            {
                "host": each.host,
                "name": str(each.name),
                "command": each.command,
                "age_s": None
                if each.since is None
                else round(shown.wall - each.since, 3),
            }
            for each in shown.report.stranded
        ],
        "streams": [
            {
                "host": stream.host,
                "domain": str(stream.domain),
                "up": stream.is_up,
                "age_s": round(shown.wall - stream.since, 3),
            }
            for stream in shown.state.streams
        ],
    }


def group_json(line: GroupLine, wall: float) -> dict[str, object]:
    """Return what is told of one group at *wall*, seconds since 1970."""
    return {
        "group": str(line.id),
        "mode": line.policy.mode.value,
        "min_clones": line.policy.min_clones,
        "max_clones": line.policy.max_clones,
        "members": [
            {
                "name": str(member.name),
                "class": member.counts_as and member.counts_as.value,
                "usage_percent": None
                if member.usage is None
                else round(member.usage, 2),
                "server": _service_json(member.service),
            }
            for member in line.members
        ],
        "decision": _decision_json(line, wall),
        "actions": [_action_json(each) for each in line.actions],
        "cooldown_up_left_s": round(line.cooldown_up_left_s, 3),
        "cooldown_down_left_s": round(line.cooldown_down_left_s, 3),
        "backoffs_left_s": {k: round(v, 3) for k, v in line.backoffs_left_s.items()},
        "foreign": [str(name) for name in line.foreign],
        "sizes": None if line.record is None else sizes_form(line.record),
        "said": _said_json(line.said, wall),
        "requests": _requests_json(line.requests),
    }


def _service_json(service: Service | None) -> dict[str, object] | None:
    if service is None:
        return None
    return {
        "duty": service.duty.value,
        "health": service.health.value,
        "sessions": service.sessions,
    }


def _requests_json(requests: Requests | None) -> dict[str, object] | None:
    if requests is None:
        return None
    waited = requests.queue_ms
    return {
        "in_flight": requests.in_flight,
        "queued": requests.queued,
        "queue_ms": None if waited is None else round(waited, 3),
    }


def _said_json(said: Said | None, wall: float) -> dict[str, object] | None:
    if said is None:
        return None
    since = said.since
    return {
        "mode": said.mode.value,
        "user": said.user,
        "age_s": None if since is None else round(wall - since, 3),
    }


def _decision_json(line: GroupLine, wall: float) -> dict[str, object] | None:
    standing = line.standing
    if standing is None:
        return None
    return {
        **fields(standing.decision),
        "why": explain(standing.decision),
        "age_s": round(wall - standing.since, 3),
        "numbers_age_s": round(wall - standing.at, 3),
    }


def _action_json(line: ActionLine) -> dict[str, object]:
    return {
        "id": line.action.id,
        "what": describe_action(line.action),
        "reason": line.action.reason.value,
        "age_s": None if line.age_s is None else round(line.age_s, 3),
    }
