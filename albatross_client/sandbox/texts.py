"""Options of a sandbox, read from the texts of a command line.

Every function raises ValueError with one sentence: what was given and what is
allowed.
"""

import re
from collections.abc import Callable, Mapping

from attrs import evolve

from albatross_client.names import ROOT, Name, is_label
from albatross_client.sandbox import faults
from albatross_client.sandbox.demand import Demand
from albatross_client.sandbox.live import DEFAULT_ROOT_POLICY
from albatross_client.values import ResourcePolicy

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)", re.ASCII)
_RANGE = re.compile(r"(\d{1,9})(?:-(\d{1,9}))?", re.ASCII)
_ENDLESS = "always"
MAX_CPUID = 4095

# What a domain gets that a unikernel is in, and no policy was given for.
DEFAULT_POLICY = ResourcePolicy(
    cpuids=DEFAULT_ROOT_POLICY.cpuids,
    unikernels=16,
    memory=2048,
    block=100,
    bridges=DEFAULT_ROOT_POLICY.bridges,
)

FAULT_FORMS = (
    "reply-lost",
    "no-frame",
    "refused=TEXT",
    "slow=DURATION",
    "expired-certificate",
    "foreign-certificate",
    "stream-cut[=PATH]",
    "stream-stalled=DURATION[@PATH]",
    "stream-evicted[=PATH]",
    "malformed-frame[=PATH]",
    "oversized-frame[=PATH]",
    "counters-restarted=NAME",
    "killed=NAME",
    "silenced=NAME",
    "policy-full=DOMAIN",
    "host-down=DURATION",
)


def parse_seconds(text: str) -> float:
    """Read a duration with its unit: ``10ms``, ``1.5s``, ``2m``, ``1h``."""
    match = _DURATION.fullmatch(text)
    if match is None:
        msg = f"{text!r} is no duration: a number with ms, s, m or h"
        raise ValueError(msg)
    return float(match[1]) * _UNITS[match[2]]


def parse_unikernel(text: str) -> Name:
    """Read the name of one unikernel."""
    name = Name.parse(text)
    if name.label is None:
        msg = f"{text!r} is a domain, not a unikernel"
        raise ValueError(msg)
    return name


def parse_domain(text: str) -> Name:
    """Read a domain: ``user``, ``user:``, ``org:team`` or ``:``."""
    path = tuple(text.removesuffix(":").lower().split(":")) if text != ":" else ()
    if not all(is_label(component) for component in path):
        msg = f"{text!r} is no domain: labels joined by ':', or ':' for the root"
        raise ValueError(msg)
    return Name(path)


def parse_policy(text: str) -> tuple[Name, ResourcePolicy]:
    """Read ``DOMAIN=KEY:VALUE,...``; keys left out have their defaults.

    Keys are unikernels, memory and block (MB; ``none``), cpuids
    (``0-3+7``) and bridges (``service+priv``).
    """
    domain_text, _, values = text.partition("=")
    domain = parse_domain(domain_text)
    policy = DEFAULT_ROOT_POLICY if domain == ROOT else DEFAULT_POLICY
    for pair in filter(None, values.split(",")):
        key, _, value = pair.partition(":")
        if key not in _POLICY_KEYS:
            msg = (
                f"{pair!r} is not part of a policy: allowed are "
                f"{', '.join(_POLICY_KEYS)}, each with : and a value"
            )
            raise ValueError(msg)
        policy = _POLICY_KEYS[key](policy, value)
    return domain, policy


def parse_demand(text: str) -> tuple[Name, Demand]:
    """Read ``NAME=DEMAND``, as ``user:web=0:0.3,60:2.5``.

    Raises:
        OSError: The CSV can't be read.
    """
    name, separator, demand = text.partition("=")
    if not separator:
        msg = f"{text!r} is no demand of a group: NAME=CORES, NAME=STEPS or NAME=CSV"
        raise ValueError(msg)
    return parse_unikernel(name), Demand.parse(demand)


def parse_argument(text: str) -> tuple[Name, str]:
    """Read ``NAME=ARGUMENT``, as ``user:web=--ipv4=127.0.1.2/8``."""
    name, separator, argument = text.partition("=")
    if not separator:
        msg = (
            f"{text!r} is no argument of a unikernel: NAME=ARGUMENT, as "
            "user:web=--ipv4=127.0.1.2/8"
        )
        raise ValueError(msg)
    return parse_unikernel(name), argument


def parse_rule(text: str) -> faults.Rule:
    """Read ``FAULT[,KEY=VALUE...]``, as ``reply-lost,command=create,times=2``.

    Keys are after and every (durations), times (a number, or ``always``),
    command (a verb of the client), name and probability.
    """
    what, *pairs = text.split(",")
    kind, _, argument = what.partition("=")
    if kind not in _FAULTS:
        msg = f"{kind!r} is no fault: allowed are {', '.join(FAULT_FORMS)}"
        raise ValueError(msg)
    rule = faults.Rule(fault=_FAULTS[kind](argument))
    for pair in pairs:
        key, _, value = pair.partition("=")
        if key not in _RULE_KEYS:
            msg = f"{pair!r} is no part of a fault: allowed are {', '.join(_RULE_KEYS)}"
            raise ValueError(msg)
        rule = _RULE_KEYS[key](rule, value)
    return rule


def _path(text: str) -> Name | None:
    return parse_domain(text) if text else None


def _stalled(text: str) -> faults.StreamStalled:
    seconds, _, path = text.partition("@")
    return faults.StreamStalled(parse_seconds(seconds), _path(path))


def _cpuids(text: str) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split("+"):
        match = _RANGE.fullmatch(part)
        first, last = (0, -1) if match is None else _ends(match)
        if not first <= last <= MAX_CPUID:
            msg = (
                f"{text!r} are no cpuids: numbers up to {MAX_CPUID} and ranges joined "
                "by +, as 0-3+7"
            )
            raise ValueError(msg)
        found.update(range(first, last + 1))
    return frozenset(found)


def _ends(match: re.Match[str]) -> tuple[int, int]:
    return int(match[1]), int(match[2] or match[1])


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        msg = f"{text!r} is no whole number"
        raise ValueError(msg)
    return int(text)


def _verb(text: str) -> faults.Verb:
    for verb in faults.VERBS:
        if verb == text:
            return verb
    msg = f"{text!r} is no command: allowed are {', '.join(faults.VERBS)}"
    raise ValueError(msg)


_PolicyKey = Callable[[ResourcePolicy, str], ResourcePolicy]
_POLICY_KEYS: Mapping[str, _PolicyKey] = {
    "unikernels": lambda policy, text: evolve(policy, unikernels=_number(text)),
    "memory": lambda policy, text: evolve(policy, memory=_number(text)),
    "block": lambda policy, text: evolve(
        policy, block=None if text == "none" else _number(text)
    ),
    "cpuids": lambda policy, text: evolve(policy, cpuids=_cpuids(text)),
    "bridges": lambda policy, text: evolve(
        policy, bridges=frozenset(filter(None, text.split("+")))
    ),
}

_RuleKey = Callable[[faults.Rule, str], faults.Rule]
_RULE_KEYS: Mapping[str, _RuleKey] = {
    "after": lambda rule, text: evolve(rule, after=parse_seconds(text)),
    "every": lambda rule, text: evolve(rule, every=parse_seconds(text)),
    "times": lambda rule, text: evolve(
        rule, times=None if text == _ENDLESS else _number(text)
    ),
    "command": lambda rule, text: evolve(rule, verb=_verb(text)),
    "name": lambda rule, text: evolve(rule, name=Name.parse(text)),
    "probability": lambda rule, text: evolve(rule, probability=float(text)),
}

_FAULTS: Mapping[str, Callable[[str], faults.Fault]] = {
    "reply-lost": lambda _: faults.ReplyLost(),
    "no-frame": lambda _: faults.NoFrame(),
    "refused": faults.Refused,
    "slow": lambda text: faults.SlowReply(parse_seconds(text)),
    "expired-certificate": lambda _: faults.ExpiredCertificate(),
    "foreign-certificate": lambda _: faults.ForeignCertificate(),
    "stream-cut": lambda text: faults.StreamCut(_path(text)),
    "stream-stalled": _stalled,
    "stream-evicted": lambda text: faults.StreamEvicted(_path(text)),
    "malformed-frame": lambda text: faults.MalformedFrame(_path(text)),
    "oversized-frame": lambda text: faults.OversizedFrame(_path(text)),
    "counters-restarted": lambda text: faults.CountersRestarted(parse_unikernel(text)),
    "killed": lambda text: faults.Killed(parse_unikernel(text)),
    "silenced": lambda text: faults.Silenced(parse_unikernel(text)),
    "policy-full": lambda text: faults.PolicyFull(parse_domain(text)),
    "host-down": lambda text: faults.HostDown(parse_seconds(text)),
}
