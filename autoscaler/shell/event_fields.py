"""The fields of log lines: one name means one thing, of one kind, everywhere.

Units are in the names.  A new field is a row here.
"""

from collections.abc import Mapping
from typing import Literal

from attrs import frozen

from autoscaler.core.demand import SignalKind
from autoscaler.core.track import Verdict

Kind = Literal["text", "count", "number", "switch"]


@frozen
class FieldKind:
    """What a field holds.

    Attributes:
        kind: text; count: a whole number; number; switch: true or false.
        meaning: What it tells, with its unit.
    """

    kind: Kind
    meaning: str


def _text(meaning: str) -> FieldKind:
    return FieldKind("text", meaning)


def _count(meaning: str) -> FieldKind:
    return FieldKind("count", meaning)


def _number(meaning: str) -> FieldKind:
    return FieldKind("number", meaning)


_ABOUT: Mapping[str, FieldKind] = {
    "decision_id": _text("The change of decision that this belongs to."),
    "group": _text("The group, HOST/PRIMARY."),
    "host": _text("The host, as the configuration calls it."),
    "domain": _text("A domain of the host."),
    "path": _text("What statistics are subscribed to."),
    "name": _text("A unikernel, PATH:LABEL; or the group without its host."),
    "names": _text("Unikernels, separated by commas."),
    "error": _text("What went wrong, in one sentence."),
    "advice": _text("What to do about it."),
    "file": _text("The path of a file."),
    "retry_in_s": _number("When it is tried again, seconds from now."),
    "repeated": _count("How many lines like this were left out in the last minute."),
}
_ACTIONS: Mapping[str, FieldKind] = {
    "action": _text("CreateClones, DestroyClone or ReplaceClone."),
    "action_id": _count("The action's number in its group."),
    "creates": _text("Clones that it makes, separated by commas."),
    "victim": _text("The clone that goes."),
    "instead_of": _text("The clone that was to go first, and went on working."),
    "took_s": _number("How long it took, seconds."),
}
_DECISIONS: Mapping[str, FieldKind] = {
    "why": _text("The decision in one sentence."),
    "outcome": _text(
        "up, down, replace or hold; of an action and of a notification: done or failed."
    ),
    "reason": _text("The rule that decided; of a connection: why it was refused."),
    "mode": _text("active, observe or paused."),
    "mean_up_percent": _number("Mean usage of the members that report, percent."),
    "mean_down_percent": _number("The same, those that don't at 100 percent."),
    "up_percent": _number("A mean above it is a high tick, percent."),
    "down_percent": _number("A mean below it is a low tick, percent."),
    "high": _count("High ticks in a row."),
    "high_needed": _count("As many add clones."),
    "low": _count("Low ticks in a row."),
    "low_needed": _count("As many remove one."),
    "fresh": _count("Members that report."),
    "quorum": _count("As many have to report."),
    "capacity": _count("Members that may serve."),
    "clones": _count("Clones for work, reservations included."),
    "min_clones": _count("Fewest clones."),
    "max_clones": _count("Most clones."),
    "create": _count("Clones to create."),
    "promote": _count("Standbys to be given work."),
    "left_s": _number("Until what holds lets go by itself, seconds."),
    "missing": _text("Members that may serve and don't report, by commas."),
    "replacement_held": _text("Why a member that was given up isn't replaced."),
    "barred": _text("The reason of what would be done, were it not held."),
    "evidence": _text("What speaks for it."),
    "evidence_age_s": _number("For how long it has been so, seconds."),
    "by": _text("The operator who asked for it."),
    "outdated": _count("Clones that don't have the newest image."),
    "more_victims": _text("Clones that go too, separated by commas."),
    "wanted": _count("Members that requests and usage call for."),
    "signal": _text("What calls for them; of the daemon's end: the signal that came."),
    "signal_value": _number("Its value."),
    "signal_target": _number("Its value that a member is to have."),
    **{
        f"signal_{kind.value}": _number(f"The value of the signal {kind.value}.")
        for kind in SignalKind
    },
    "standbys": _count("Members that stand by."),
    "standbys_ready": _count("Those of them that could serve at once."),
    "standbys_wanted": _count("How many are to stand by."),
    "standby_held": _text("Why one that is missing stays so."),
    "short_of": _text("What of the host one more clone lacks."),
    "short_needed": _count("How much of it a clone needs."),
    "short_used": _count("How much of it is taken."),
    "short_limit": _count("How much of it there is."),
    "short_domain": _text("The domain whose policy says so."),
    "short_resting": _count("How much of it rests before it is given out again."),
}
_GUARDS: Mapping[str, FieldKind] = {
    "limit": _text("Which limit was exceeded."),
    "count": _count("How often it happened."),
    "most": _count("How often it may happen."),
    "within_s": _number("In how long a time, seconds."),
    "stand_down_s": _number("How long the group only observes, seconds."),
    "signs": _count("How often it was seen."),
}
_BALANCERS: Mapping[str, FieldKind] = {
    "server": _text("What the balancer calls the member."),
    "step": _text("What it was told to do."),
    "address": _text("Where a member listens."),
    "held": _count("Connections that wait."),
}
_DAEMON: Mapping[str, FieldKind] = {
    "deployment": _text("What the configuration calls this deployment."),
    "hosts": _count("Hosts that are configured."),
    "groups": _count("Groups that are looked after."),
    "left": _text("Groups with actions that go on, separated by commas."),
    "actions_in_flight": _count("Actions that run."),
    "streams": _count("Subscriptions that there are to be."),
    "streams_up": _count("Those that bring statistics."),
    **{
        f"frames_{verdict.value}": _count(f"Frames that were {verdict.value}.")
        for verdict in Verdict
    },
    "changes": _count("How many keys differ."),
    "differs": _text("What differs, the beginning."),
    "listen": _text("The address."),
    "doing": _text("What was done when it failed."),
    "traceback": _text("The error's text, then where it was, the innermost first."),
    "status": _count("The status that was answered."),
    "verb": _text("What was asked."),
    "asked_for": _text("How many were asked for, as it was written."),
    "user": _text("Who asked."),
    "uid": _count("Who asked, by number."),
    "done": FieldKind("switch", "Whether it was done."),
}
_HOSTS: Mapping[str, FieldKind] = {
    "configured_s": _number("The interval that is configured, seconds."),
    "measured_s": _number("The interval that was measured, seconds."),
    "interval_s": _number("How far frames should lie apart, seconds."),
    "counted": _count("Frames whose usage counts."),
    "not_counted": _count("Frames that came too early or too late."),
    "least_distance_s": _number("The least time between two, seconds."),
    "most_distance_s": _number("The longest, seconds."),
    "kind": _text("What is skipped: malformed, or a kind that is not known here."),
    "certificate": _text("The subject of the certificate."),
    "ends": _text("When it expires."),
    "days_left": _number("How long it is valid, days."),
    "digest": _text("SHA-256 of the image, in hexadecimal digits."),
}
_NOTIFICATIONS: Mapping[str, FieldKind] = {
    "receiver": _text("Who is told: the name of a [[notify]] table."),
    "about": _text("The event that it was to be told of."),
    "attempts": _count("How often it was tried."),
    "dropped": _count("How many were dropped."),
}

FIELDS: Mapping[str, FieldKind] = {
    **_ABOUT,
    **_ACTIONS,
    **_DECISIONS,
    **_GUARDS,
    **_BALANCERS,
    **_DAEMON,
    **_HOSTS,
    **_NOTIFICATIONS,
}
