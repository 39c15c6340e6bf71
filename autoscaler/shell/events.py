"""The names of all events that are logged: one event, one line.

Names are stable: operators search for them.  A new event is a row here, with
the level that it has unless the caller knows better, and with its fields.
"""

from collections.abc import Mapping
from typing import Literal

from attrs import frozen

from autoscaler.core.demand import SignalKind
from autoscaler.core.track import Verdict

Level = Literal["debug", "info", "warning", "error"]
LEVELS: tuple[Level, ...] = ("debug", "info", "warning", "error")


@frozen
class Event:
    """A kind of line.

    Attributes:
        level: debug: every tick; info: what changes; warning: a guard is
            engaged or data is lost; error: something is given up.
        meaning: What has happened.
        fields: The names of its fields, as in `event_fields`; a question mark
            follows those that may be missing.
        is_tried_again: Whether it comes again and again by itself, until
            somebody does something: it is told as seldom as warnings.
    """

    level: Level
    meaning: str
    fields: str = ""
    is_tried_again: bool = False

    @property
    def always(self) -> tuple[str, ...]:
        """The fields that each line has."""
        return tuple(f for f in self.fields.split() if not f.endswith("?"))

    @property
    def sometimes(self) -> tuple[str, ...]:
        """The fields that a line may have beside these."""
        return tuple(f[:-1] for f in self.fields.split() if f.endswith("?"))


_SIGNALS = " ".join(f"signal_{kind.value}?" for kind in SignalKind)
_FRAMES = " ".join(f"frames_{verdict.value}?" for verdict in Verdict)
_DECISION = (
    "decision_id? group why outcome reason mode mean_up_percent? mean_down_percent? "
    "up_percent down_percent high high_needed low low_needed fresh quorum capacity "
    "clones min_clones max_clones create? promote? victim? more_victims? left_s? "
    "missing? replacement_held? barred? evidence? evidence_age_s? by? outdated? "
    f"wanted? signal? signal_value? signal_target? {_SIGNALS} standbys? "
    "standbys_ready? standbys_wanted? standby_held? short_of? short_needed? "
    "short_used? short_limit? short_domain? short_resting?"
)
_ACTION = "decision_id? group action action_id reason creates? victim? instead_of?"
_MEMBER = "group name decision_id?"

EVENTS: Mapping[str, Event] = {
    # Balancers
    "balancer_lost": Event(
        "warning",
        "A group's balancer doesn't answer, or not as it should.",
        "group error",
    ),
    "balancer_found": Event("info", "A group's balancer answers again.", "group"),
    "server_changed": Event(
        "info", "A balancer was told what a member's server does.", "group server step"
    ),
    "server_unchanged": Event(
        "warning",
        "A balancer refused to do what was ordered: it is ordered again.",
        "group server step error",
    ),
    "server_name_taken": Event(
        "warning",
        "A server that isn't ours has a member's name: it is left alone.",
        "group error",
    ),
    "activator_failed": Event(
        "error",
        "Nobody can be listened to: a sleeping group would not wake.",
        "group error",
        is_tried_again=True,
    ),
    # The daemon
    "daemon_started": Event("info", "The daemon runs.", "deployment mode hosts groups"),
    "daemon_stopping": Event(
        "info",
        "A signal came: nothing is decided any more.",
        "signal actions_in_flight",
    ),
    "daemon_stopped": Event("info", "The daemon has ended; unikernels go on."),
    "configuration_reloaded": Event(
        "info", "Another configuration is in force.", "changes differs"
    ),
    "configuration_refused": Event(
        "error",
        "A new configuration can't be used: the old one stays in force.",
        "error",
    ),
    "operator_asked": Event(
        "info",
        "An operator has asked for something.",
        "verb user uid done group? name? host? asked_for?",
    ),
    "control_failed": Event(
        "warning", "Operators can't be heard: no control socket.", "error"
    ),
    "http_opened": Event(
        "info", "Metrics, health and status are told over HTTP.", "listen"
    ),
    "http_failed": Event(
        "error",
        "Nobody can be answered over HTTP: tried again.",
        "error",
        is_tried_again=True,
    ),
    "http_token_refused": Event(
        "error",
        "The token file can't be used: nothing is changed over HTTP.",
        "error",
    ),
    "http_refused": Event(
        "warning", "A request over HTTP was not answered.", "status error"
    ),
    "bug_contained": Event(
        "warning",
        "A bug in what only tells of groups: that was not told, all else goes on.",
        "doing error traceback",
    ),
    "heartbeat": Event(
        "info",
        "A minute has passed; counters since the start.",
        f"groups clones actions_in_flight streams streams_up {_FRAMES}",
    ),
    "state_failed": Event(
        "error",
        "The state can't be written: it is tried again, and nothing is begun.",
        "error",
    ),
    "state_set_aside": Event(
        "error",
        "The state was damaged: nothing is adopted before it is confirmed.",
        "file",
    ),
    "state_recovered": Event("info", "The state can be written again."),
    "actions_left": Event(
        "warning",
        "The end did not wait for actions: the next start settles them.",
        "left",
    ),
    "group_stranded": Event(
        "warning",
        "Clones of a group that is no longer configured are left running.",
        "group names",
    ),
    # Hosts
    "stream_opened": Event("info", "A statistics subscription began.", "host path"),
    "stream_lost": Event(
        "warning",
        "A statistics subscription ended or failed.",
        "host path error retry_in_s",
    ),
    "stream_contested": Event(
        "warning",
        "Somebody else subscribes to the same path, again and again.",
        "host path error retry_in_s advice",
    ),
    "messages_skipped": Event(
        "warning",
        "A stream brings messages that can't be read: the host may be newer.",
        "host path kind",
    ),
    "look_failed": Event(
        "warning", "A host did not answer what runs.", "host domain error retry_in_s"
    ),
    "interval_contradicted": Event(
        "warning",
        "The measured stats interval isn't the configured one.",
        "host domain configured_s measured_s",
    ),
    "frames_irregular": Event(
        "warning",
        "Most frames come too early or too late.",
        "host domain counted not_counted interval_s least_distance_s most_distance_s",
    ),
    "certificate_expiring": Event(
        "warning", "A certificate will soon expire.", "host certificate ends days_left"
    ),
    "certificate_expired": Event(
        "error", "A certificate has expired.", "host certificate ends days_left"
    ),
    "address_found": Event(
        "info", "It was told where a member listens.", "group name address"
    ),
    "address_unknown": Event(
        "warning", "It can't be told yet where a member listens.", "group name error"
    ),
    "image_renewed": Event(
        "info", "A managed group has a new image, which is used.", "group file digest"
    ),
    "image_refused": Event(
        "error",
        "A new image of a managed group can't be used; the old one is.",
        "group error",
    ),
    "keys_renewed": Event("info", "Files of keys have changed and are used.", "host"),
    "keys_refused": Event(
        "warning",
        "Files of keys have changed and can't be used: the old ones are.",
        "host error",
    ),
    # Groups
    "tick_decided": Event("debug", "A group was looked at.", _DECISION),
    "decision_changed": Event(
        "info", "A group's decision is not the one before.", _DECISION
    ),
    "would_act_began": Event(
        "info", "Only observed: it would act from now on.", _DECISION
    ),
    "would_act_ended": Event(
        "info", "Only observed: it would no longer act.", "group decision_id?"
    ),
    "action_started": Event("info", "An action is written down and begins.", _ACTION),
    "action_waiting": Event(
        "info", "An action waits for its turn: others run.", _ACTION
    ),
    "action_withdrawn": Event(
        "info",
        "An action has waited too long for its turn: it is decided anew.",
        _ACTION,
    ),
    "action_finished": Event(
        "info", "An action has ended.", f"{_ACTION} outcome took_s? error?"
    ),
    "clone_adopted": Event(
        "info", "A unikernel with a clone's name became ours.", _MEMBER
    ),
    "foreign_found": Event("warning", "One with a clone's name is not ours.", _MEMBER),
    "first_frame_missed": Event(
        "warning",
        "A clone gets work, and no statistics of it have come in time.",
        _MEMBER,
    ),
    "clone_died": Event("warning", "A clone is silent and no longer listed.", _MEMBER),
    "clone_disowned": Event(
        "info", "A clone is no longer ours, as was asked.", _MEMBER
    ),
    "group_stood_down": Event(
        "warning",
        "A group did or failed too much: observed.",
        f"{_MEMBER} limit? count? most? within_s? stand_down_s?",
    ),
    "group_stood_up": Event(
        "info", "A stand-down is over: the group may act again.", _MEMBER
    ),
    "group_contested": Event(
        "warning",
        "Somebody else changes a group's clones.",
        f"{_MEMBER} signs? within_s?",
    ),
    "standby_promoted": Event("info", "A member that stood by is given work.", _MEMBER),
    "clone_turned_up": Event("warning", "A create thought failed has worked.", _MEMBER),
    "member_given_up": Event(
        "error", "A member is listed, and silent or looping.", _MEMBER
    ),
    "primary_lost": Event(
        "error", "A primary is silent and no longer listed.", _MEMBER
    ),
    "primary_returned": Event(
        "info", "A primary that was lost is listed again.", _MEMBER
    ),
    # Connections of clients
    "wake_asked": Event(
        "info", "A client came while nobody serves: one is asked for.", "group held"
    ),
    "connection_refused": Event(
        "warning",
        "A client was sent away: too many waited, or it did for too long.",
        "group reason",
    ),
    "accepting_failed": Event(
        "warning", "Connections can't be accepted for a moment.", "group error"
    ),
    "lines_dropped": Event(
        "warning",
        "The journal was too slow: the oldest lines that waited were dropped.",
        "dropped",
    ),
    # Notifications
    "notification_failed": Event(
        "warning", "Somebody was not told of an event.", "receiver about error attempts"
    ),
    "notification_delayed": Event(
        "warning",
        "Somebody could not be told of an event yet: it is tried again.",
        "receiver about error retry_in_s",
    ),
    "notification_tested": Event(
        "info", "Somebody tries whether they are told of events.", "deployment"
    ),
    "notifications_dropped": Event(
        "warning",
        "A receiver is too slow: the oldest that waited were dropped.",
        "receiver dropped",
    ),
    # The image cache
    "image_damaged": Event(
        "warning", "A kept image didn't fit its digest: removed.", "file"
    ),
    "image_not_kept": Event(
        "warning", "An image can't be kept: it is fetched again.", "file error"
    ),
}
