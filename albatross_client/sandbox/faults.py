"""What can go wrong with a sandbox host, as data, and when it does.

Three sorts: a fault of a command befalls the next commands that match, a fault
of a connection the next connections, and an event happens by itself at its
time.  All of them can also be struck by hand.
"""

from typing import Literal, assert_never

from attrs import evolve, field, frozen
from attrs.validators import ge, gt, in_, le, optional

from albatross_client.commands import (
    ConsoleListInactive,
    ConsoleSubscribe,
    PolicyInfo,
    StatsSubscribe,
    UnikernelCreate,
    UnikernelDestroy,
    UnikernelForceCreate,
    UnikernelGet,
    UnikernelRestart,
)
from albatross_client.names import Name
from albatross_client.sandbox.state import BlockCommand, TakenCommand, UnikernelCommand

# Faults of a command


@frozen
class ReplyLost:
    """The command takes effect, the connection is lost before the reply."""


@frozen
class NoFrame:
    """The endpoint ends the connection without a word or an effect."""


@frozen
class Refused:
    """The host answers with the failure *text*; nothing takes effect."""

    text: str


@frozen
class SlowReply:
    """The command takes effect; its reply comes *seconds* later."""

    seconds: float


CommandFault = ReplyLost | NoFrame | Refused | SlowReply


# Faults of a connection


@frozen
class ExpiredCertificate:
    """The server shows a certificate that has expired."""


@frozen
class ForeignCertificate:
    """The server shows a certificate of another authority."""


ConnectionFault = ExpiredCertificate | ForeignCertificate


# Events


@frozen
class StreamCut:
    """Statistics streams of *path* are lost; None: all of them."""

    path: Name | None = None


@frozen
class StreamStalled:
    """Statistics frames are held back and then come all at once.

    Attributes:
        seconds: How long.
        path: What was subscribed to; None: all streams.
    """

    seconds: float
    path: Name | None = None


@frozen
class StreamEvicted:
    """Another subscriber takes *path*'s place; None: of all streams."""

    path: Name | None = None


@frozen
class MalformedFrame:
    """A statistics frame that isn't DER."""

    path: Name | None = None


@frozen
class OversizedFrame:
    """A statistics frame longer than any client should take."""

    path: Name | None = None


@frozen
class CountersRestarted:
    """The counters of *name* begin again at 0, its process lives on."""

    name: Name


@frozen
class Killed:
    """The process of *name* ends with *exit_code*."""

    name: Name
    exit_code: int = 1


@frozen
class Silenced:
    """The host can't read *name*'s process any more: listed, but silent."""

    name: Name


@frozen
class PolicyFull:
    """The policy of *domain* allows no unikernel more than run now."""

    domain: Name


@frozen
class HostDown:
    """Nobody answers for *seconds*; all streams are lost."""

    seconds: float


Event = (
    StreamCut
    | StreamStalled
    | StreamEvicted
    | MalformedFrame
    | OversizedFrame
    | CountersRestarted
    | Killed
    | Silenced
    | PolicyFull
    | HostDown
)
Fault = CommandFault | ConnectionFault | Event

Verb = Literal[
    "info",
    "policies",
    "image",
    "create",
    "destroy",
    "restart",
    "stats",
    "console",
    "block",
]
VERBS: tuple[Verb, ...] = (
    "info",
    "policies",
    "image",
    "create",
    "destroy",
    "restart",
    "stats",
    "console",
    "block",
)


def _valid_times(_instance: object, _attribute: object, times: int | None) -> None:
    if times is not None and times < 1:
        msg = "a fault happens at least once"
        raise ValueError(msg)


@frozen(kw_only=True)
class Rule:
    """When a fault happens.

    Attributes:
        fault: What happens.
        after: Not before this many seconds of the host's life; an event
            happens just then.
        every: An event happens again this many seconds later.
        times: How often it happens at most; None: without end.
        verb: The commands that it befalls; None: all.
        name: The name or domain they act at; None: any.
        probability: Share of the matching commands or connections.
    """

    fault: Fault
    after: float = field(default=0.0, validator=ge(0))
    every: float | None = field(default=None, validator=optional(gt(0)))
    times: int | None = field(default=1, validator=_valid_times)
    verb: Verb | None = field(default=None, validator=optional(in_(VERBS)))
    name: Name | None = None
    probability: float = field(default=1.0, validator=[ge(0), le(1)])

    def __attrs_post_init__(self) -> None:
        """Refuse what would be ignored."""
        about_commands = self.verb is not None or self.name is not None
        if about_commands and not isinstance(self.fault, CommandFault):
            msg = "only a fault of a command has a command or a name to befall"
            raise ValueError(msg)
        if self.probability < 1 and isinstance(self.fault, Event):
            msg = "an event happens at its time: it has no probability"
            raise ValueError(msg)
        if self.every is not None and not isinstance(self.fault, Event):
            msg = "only an event happens every so often by itself"
            raise ValueError(msg)


@frozen(kw_only=True)
class Moment:
    """What a rule looks at.

    Attributes:
        second: Seconds of the host's life.
        draw: A random number in [0, 1).
    """

    second: float
    draw: float


Rules = tuple[Rule, ...]


def verb_of(command: TakenCommand) -> Verb:
    """Return the verb of the client that sends *command*."""
    match command:
        case UnikernelCreate() | UnikernelForceCreate():
            return "create"
        case UnikernelDestroy():
            return "destroy"
        case UnikernelRestart():
            return "restart"
        case UnikernelGet():
            return "image"
        case _:
            return _other_verb(command)


def on_command(
    rules: Rules, moment: Moment, command: TakenCommand, name: Name
) -> tuple[Rules, CommandFault | None]:
    """Return the fault that befalls *command* at *name*, and the rules left."""
    verb = verb_of(command)
    for rule in rules:
        if (
            isinstance(rule.fault, CommandFault)
            and _is_on(rule, moment)
            and rule.verb in (None, verb)
            and _is_about(rule, name)
        ):
            return _used(rules, rule), rule.fault
    return rules, None


def on_connection(rules: Rules, moment: Moment) -> tuple[Rules, ConnectionFault | None]:
    """Return the fault that befalls a new connection, and the rules left."""
    for rule in rules:
        if isinstance(rule.fault, ConnectionFault) and _is_on(rule, moment):
            return _used(rules, rule), rule.fault
    return rules, None


def due(rules: Rules, second: float) -> tuple[Rules, tuple[Event, ...]]:
    """Return the events that are due at *second*, and the rules left."""
    events: tuple[Event, ...] = ()
    for rule in rules:
        if isinstance(rule.fault, Event) and rule.after <= second:
            events = (*events, rule.fault)
            rules = _again(rules, rule)
    return rules, events


def next_due(rules: Rules) -> float | None:
    """Return the second of the next event; None: there is none."""
    seconds = [rule.after for rule in rules if isinstance(rule.fault, Event)]
    return min(seconds, default=None)


def _other_verb(command: TakenCommand) -> Verb:
    if isinstance(command, UnikernelCommand):
        return "info"
    if isinstance(command, BlockCommand):
        return "block"
    match command:
        case PolicyInfo():
            return "policies"
        case StatsSubscribe():
            return "stats"
        case ConsoleSubscribe() | ConsoleListInactive():
            return "console"
        case _:
            assert_never(command)


def _is_on(rule: Rule, moment: Moment) -> bool:
    return moment.second >= rule.after and moment.draw < rule.probability


def _is_about(rule: Rule, name: Name) -> bool:
    if rule.name is None or rule.name == name:
        return True
    return rule.name.label is None and name.is_within(rule.name)


def _used(rules: Rules, rule: Rule) -> Rules:
    """Return *rules* after *rule* happened once."""
    if rule.times is None:
        return rules
    fewer = evolve(rule, times=rule.times - 1) if rule.times > 1 else None
    return _replaced(rules, rule, fewer)


def _again(rules: Rules, rule: Rule) -> Rules:
    """Return *rules* after the event of *rule* happened."""
    if rule.every is None or rule.times == 1:
        return _replaced(rules, rule, None)
    times = None if rule.times is None else rule.times - 1
    later = evolve(rule, after=rule.after + rule.every, times=times)
    return _replaced(rules, rule, later)


def _replaced(rules: Rules, rule: Rule, by: Rule | None) -> Rules:
    index = next(i for i, each in enumerate(rules) if each is rule)
    return (*rules[:index], *(() if by is None else (by,)), *rules[index + 1 :])
