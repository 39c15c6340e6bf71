"""The names of all events that are logged: one event, one line.

Names are stable: operators search for them.  A new event is a row here, with
the level that it has unless the caller knows better.
"""

from collections.abc import Mapping
from typing import Literal

from attrs import frozen

Level = Literal["debug", "info", "warning", "error"]
LEVELS: tuple[Level, ...] = ("debug", "info", "warning", "error")


@frozen
class Event:
    """A kind of line.

    Attributes:
        level: debug: every tick; info: what changes; warning: a guard is
            engaged or data is lost; error: something is given up.
        meaning: What has happened.
    """

    level: Level
    meaning: str


EVENTS: Mapping[str, Event] = {
    # Balancers
    "balancer_lost": Event(
        "warning", "A group's balancer doesn't answer, or not as it should."
    ),
    "balancer_found": Event("info", "A group's balancer answers again."),
    "server_changed": Event("info", "A balancer was told what a member's server does."),
    "server_unchanged": Event(
        "warning", "A balancer refused to do what was ordered: it is ordered again."
    ),
    "server_name_taken": Event(
        "warning", "A server that isn't ours has a member's name: it is left alone."
    ),
    "activator_failed": Event(
        "error", "Nobody can be listened to: a sleeping group would not wake."
    ),
    # The daemon
    "daemon_started": Event("info", "The daemon runs."),
    "daemon_stopping": Event("info", "A signal came: nothing is decided any more."),
    "daemon_stopped": Event("info", "The daemon has ended; unikernels go on."),
    "configuration_reloaded": Event("info", "Another configuration is in force."),
    "configuration_refused": Event(
        "error", "A new configuration can't be used: the old one stays in force."
    ),
    "operator_asked": Event("info", "An operator has asked for something."),
    "control_failed": Event("warning", "Operators can't be heard: no control socket."),
    "http_opened": Event("info", "Metrics, health and status are told over HTTP."),
    "http_failed": Event("error", "Nobody can be answered over HTTP: tried again."),
    "http_refused": Event("warning", "A request over HTTP was not answered."),
    "heartbeat": Event("info", "A minute has passed; counters since the start."),
    "state_failed": Event(
        "error", "The state can't be written: it is tried again, and nothing is begun."
    ),
    "state_set_aside": Event(
        "error", "The state was damaged: nothing is adopted before it is confirmed."
    ),
    "state_recovered": Event("info", "The state can be written again."),
    "actions_left": Event(
        "warning", "The end did not wait for actions: the next start settles them."
    ),
    "group_stranded": Event(
        "warning", "Clones of a group that is no longer configured are left running."
    ),
    # Hosts
    "stream_opened": Event("info", "A statistics subscription began."),
    "stream_lost": Event("warning", "A statistics subscription ended or failed."),
    "stream_contested": Event(
        "warning", "Somebody else subscribes to the same path, again and again."
    ),
    "look_failed": Event("warning", "A host did not answer what runs."),
    "interval_contradicted": Event(
        "warning", "The measured stats interval isn't the configured one."
    ),
    "frames_irregular": Event("warning", "Most frames come too early or too late."),
    "certificate_expiring": Event("warning", "A certificate will soon expire."),
    "certificate_expired": Event("error", "A certificate has expired."),
    "address_found": Event("info", "It was told where a member listens."),
    "address_unknown": Event("warning", "It can't be told yet where a member listens."),
    "image_renewed": Event("info", "A managed group has a new image, which is used."),
    "image_refused": Event(
        "error", "A new image of a managed group can't be used; the old one is."
    ),
    "keys_renewed": Event("info", "Files of keys have changed and are used."),
    "keys_refused": Event(
        "warning", "Files of keys have changed and can't be used: the old ones are."
    ),
    # Groups
    "tick_decided": Event("debug", "A group was looked at."),
    "decision_changed": Event("info", "A group's decision is not the one before."),
    "would_act_began": Event("info", "Only observed: it would act from now on."),
    "would_act_ended": Event("info", "Only observed: it would no longer act."),
    "action_started": Event("info", "An action is written down and begins."),
    "action_waiting": Event("info", "An action waits for its turn: others run."),
    "action_withdrawn": Event(
        "info", "An action has waited too long for its turn: it is decided anew."
    ),
    "action_finished": Event("info", "An action has ended."),
    "clone_adopted": Event("info", "A unikernel with a clone's name became ours."),
    "foreign_found": Event("warning", "One with a clone's name is not ours."),
    "first_frame_missed": Event(
        "warning", "A clone gets work, and no statistics of it have come in time."
    ),
    "clone_died": Event("warning", "A clone is silent and no longer listed."),
    "clone_disowned": Event("info", "A clone is no longer ours, as was asked."),
    "group_stood_down": Event("warning", "A group did or failed too much: observed."),
    "group_stood_up": Event("info", "A stand-down is over: the group may act again."),
    "group_contested": Event("warning", "Somebody else changes a group's clones."),
    "standby_promoted": Event("info", "A member that stood by is given work."),
    "clone_turned_up": Event("warning", "A create thought failed has worked."),
    "member_given_up": Event("error", "A member is listed, and silent or looping."),
    "primary_lost": Event("error", "A primary is silent and no longer listed."),
    "primary_returned": Event("info", "A primary that was lost is listed again."),
    # Connections of clients
    "wake_asked": Event("info", "A client came while nobody serves: one is asked for."),
    "connection_refused": Event(
        "warning", "A client was sent away: too many waited, or it did for too long."
    ),
    "accepting_failed": Event("warning", "Connections can't be accepted for a moment."),
    # The image cache
    "image_damaged": Event("warning", "A kept image didn't fit its digest: removed."),
    "image_not_kept": Event("warning", "An image can't be kept: it is fetched again."),
}
