"""Options of a sandbox, read from texts."""

import pytest

from albatross_client.names import ROOT, Name
from albatross_client.sandbox import faults
from albatross_client.sandbox.demand import Demand
from albatross_client.sandbox.texts import (
    DEFAULT_POLICY,
    FAULT_FORMS,
    parse_demand,
    parse_domain,
    parse_policy,
    parse_rule,
    parse_seconds,
    parse_unikernel,
)
from tests.sandbox_fixtures import USER, WEB


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("10ms", 0.01), ("1.5s", 1.5), ("2m", 120.0), ("1h", 3600.0), ("0s", 0.0)],
)
def test_a_duration_has_a_unit(text, seconds):
    assert parse_seconds(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "1", "s", "-1s", "1 s", "1d", "\u0661s"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ValueError, match="is no duration: a number with ms, s, m or h"):
        parse_seconds(text)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("user", ("user",)),
        ("user:", ("user",)),
        ("Org:Team", ("org", "team")),
        (":", ()),
    ],
)
def test_a_domain_may_end_in_a_colon(text, path):
    assert parse_domain(text) == Name(path)


@pytest.mark.parametrize("text", ["", "-a", "a::b", "a b"])
def test_what_is_no_domain_is_refused(text):
    with pytest.raises(ValueError, match="is no domain"):
        parse_domain(text)


def test_a_domain_is_no_unikernel():
    assert parse_unikernel("user:web") == WEB
    with pytest.raises(ValueError, match="is a domain, not a unikernel"):
        parse_unikernel("user:")


def test_a_policy_is_its_defaults_and_what_is_said():
    domain, policy = parse_policy(
        "user=unikernels:10,memory:1024,block:none,cpuids:0-3+7,bridges:service+priv"
    )

    assert domain == USER
    assert (policy.unikernels, policy.memory, policy.block) == (10, 1024, None)
    assert policy.cpuids == frozenset({0, 1, 2, 3, 7})
    assert policy.bridges == frozenset({"service", "priv"})
    assert parse_policy("user") == (USER, DEFAULT_POLICY)


def test_the_roots_policy_is_what_the_machine_has():
    domain, policy = parse_policy(":=memory:64000,block:500,bridges:")

    assert domain == ROOT
    assert (policy.unikernels, policy.memory, policy.block) == (2**62 - 1, 64_000, 500)
    assert policy.bridges == frozenset()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("user=cores:3", "is not part of a policy: allowed are unikernels, memory"),
        ("user=memory:x", "is no whole number"),
        ("user=memory:-1", "is no whole number"),
        ("user=cpuids:a", "are no cpuids"),
        ("user=cpuids:3-1", "are no cpuids"),
        ("user=cpuids:0-999999999", "numbers up to 4095"),
    ],
)
def test_a_wrong_policy_is_refused_with_what_is_allowed(text, problem):
    with pytest.raises(ValueError, match=problem):
        parse_policy(text)


def test_a_demand_belongs_to_a_primary():
    assert parse_demand("user:web=0:1,5:2") == (WEB, Demand(((0.0, 1.0), (5.0, 2.0))))
    with pytest.raises(ValueError, match="is no demand of a group"):
        parse_demand("user:web")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("reply-lost", faults.ReplyLost()),
        ("no-frame", faults.NoFrame()),
        ("refused=out of taps", faults.Refused("out of taps")),
        ("slow=5s", faults.SlowReply(5.0)),
        ("expired-certificate", faults.ExpiredCertificate()),
        ("foreign-certificate", faults.ForeignCertificate()),
        ("stream-cut", faults.StreamCut()),
        ("stream-cut=user", faults.StreamCut(USER)),
        ("stream-stalled=35s", faults.StreamStalled(35.0)),
        ("stream-stalled=35s@user", faults.StreamStalled(35.0, USER)),
        ("stream-evicted=:", faults.StreamEvicted(ROOT)),
        ("malformed-frame", faults.MalformedFrame()),
        ("oversized-frame", faults.OversizedFrame()),
        ("counters-restarted=user:web", faults.CountersRestarted(WEB)),
        ("killed=user:web", faults.Killed(WEB)),
        ("silenced=user:web", faults.Silenced(WEB)),
        ("policy-full=user", faults.PolicyFull(USER)),
        ("host-down=1m", faults.HostDown(60.0)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_fault_has_a_text(text, fault):
    assert parse_rule(text) == faults.Rule(fault=fault)


def test_the_forms_that_are_shown_are_those_that_are_read():
    shown = {form.partition("=")[0].removesuffix("[") for form in FAULT_FORMS}

    for form in shown:
        with pytest.raises(ValueError, match="is no part of a fault"):
            parse_rule(f"{form}=1s,nothing")


def test_a_rule_says_when():
    rule = parse_rule(
        "no-frame,after=10s,times=3,command=create,name=user:web,probability=0.5"
    )

    assert rule == faults.Rule(
        fault=faults.NoFrame(),
        after=10.0,
        times=3,
        verb="create",
        name=WEB,
        probability=0.5,
    )
    assert parse_rule("no-frame,times=always").times is None
    assert parse_rule("stream-cut,every=1m").every == 60.0


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("explode", "'explode' is no fault: allowed are reply-lost, no-frame"),
        ("no-frame,when=now", "'when=now' is no part of a fault: allowed are after"),
        ("no-frame,command=explode", "is no command: allowed are info, policies"),
        ("slow=5", "is no duration"),
        ("stream-cut,name=user:web", "only a fault of a command has"),
        ("killed=", "may not be empty"),
    ],
)
def test_a_wrong_fault_is_refused_with_what_is_allowed(text, problem):
    with pytest.raises(ValueError, match=problem):
        parse_rule(text)
