import math

import pytest
from attrs import evolve

from albatross_client.names import Name
from albatross_client.values import Info, ResourcePolicy
from autoscaler.core.addresses import AddressPool
from autoscaler.core.decide import decide
from autoscaler.core.decision import Load, MemberClass, Reason, Shortage, Standing
from autoscaler.core.demand import RequestPolicy
from autoscaler.core.group import GroupId, Member, Ticks, new_group
from autoscaler.core.lint import (
    Room,
    Severity,
    find_room,
    flapping_size,
    lint,
    shrinking_mean,
)
from autoscaler.core.policy import Policy
from autoscaler.core.view import Feed, Listing, Rules, View

WEST_WEB = GroupId("west", Name.parse("user:web"))
USER = Name.parse("user:")


def policy(**changes):
    return Policy(**{"max_clones": 4, **changes})


def view(policies, clones=0):
    infos = {WEST_WEB.name: Info(cpuids=frozenset({0}), memory=32)}
    for number in range(1, clones + 1):
        infos[WEST_WEB.clone(number)] = Info(cpuids=frozenset({number}), memory=32)
    return View(
        feed=Feed(),
        tracks={},
        listing=Listing(infos, 0.0, 0.0),
        rules=Rules(policies, 0.0),
    )


def group(clones=0, **changes):
    made = new_group(WEST_WEB, policy(**changes))
    members = tuple(
        Member(name=WEST_WEB.clone(n), number=n) for n in range(1, clones + 1)
    )
    ledger = evolve(made.ledger, next_number=clones + 1)
    return evolve(made, clones=members, ledger=ledger)


def roomy(**changes):
    limits = {"cpuids": frozenset(range(8)), "unikernels": 20, "memory": 1000}
    return {USER: ResourcePolicy(**{**limits, **changes})}


def test_the_defaults_are_found_good_at_the_usual_interval():
    assert lint(policy(), None) == ()
    assert lint(policy(), 10.0) == ()


@pytest.mark.parametrize(
    ("changes", "interval", "severity", "key"),
    [
        pytest.param(
            {"poll_interval": 9.9}, None, Severity.HINT, "poll_interval", id="poll"
        ),
        pytest.param(
            {"poll_interval": 10.0}, 11.0, Severity.HINT, "poll_interval", id="known"
        ),
        pytest.param({"warmup": 300.1}, None, Severity.HINT, "warmup", id="warmup"),
        pytest.param(
            {"boot_timeout": 29.9}, None, Severity.HINT, "boot_timeout", id="boot"
        ),
        pytest.param(
            {"boot_timeout": 29.9},
            10.0,
            Severity.ERROR,
            "boot_timeout",
            id="boot known",
        ),
        pytest.param(
            {"scale_down_threshold_percent": 45.0},
            None,
            Severity.HINT,
            "scale_down_threshold_percent",
            id="half of up",
        ),
    ],
)
def test_what_is_hardly_meant_is_found(changes, interval, severity, key):
    [finding] = lint(policy(**changes), interval)

    assert (finding.severity, finding.key) == (severity, key)


@pytest.mark.parametrize(
    ("changes", "interval"),
    [
        pytest.param({"poll_interval": 1.0}, 1.0, id="poll is the interval"),
        pytest.param({"warmup": 300.0}, None, id="five minutes of warmup"),
        pytest.param({"boot_timeout": 30.0}, 10.0, id="three intervals to boot"),
        pytest.param({"scale_down_threshold_percent": 42.5}, None, id="just not half"),
        pytest.param(
            {"max_clones": 0, "scale_down_threshold_percent": 80.0}, None, id="no clone"
        ),
        pytest.param({"scale_down_threshold_percent": 0.0}, None, id="never down"),
    ],
)
def test_what_is_just_right_is_not_found(changes, interval):
    assert lint(policy(**changes), interval) == ()


@pytest.mark.parametrize(("poll", "is_found"), [(1.0, False), (10.0, True)])
def test_requests_are_followed_no_quicker_than_they_are_looked_at(poll, is_found):
    found = lint(
        policy(poll_interval=poll, requests=RequestPolicy(target_rps=1)), interval=10.0
    )

    assert ("poll_interval" in {each.key for each in found}) == is_found


@pytest.mark.parametrize(
    ("up", "down", "margin", "size"),
    [
        pytest.param(90, 40, 5, None, id="the defaults"),
        pytest.param(90, 42.5, 5, None, id="exactly half"),
        pytest.param(90, 43, 5, 2, id="more than half"),
        pytest.param(90, 60, 5, 3, id="two thirds"),
        pytest.param(90, 80, 5, 16, id="near"),
        pytest.param(90, 80, 10, math.inf, id="at the margin"),
        pytest.param(90, 80, 20, math.inf, id="within the margin"),
        pytest.param(90, 0, 95, None, id="never down"),
    ],
)
def test_the_size_up_to_which_groups_are_held_is_computed(up, down, margin, size):
    found = flapping_size(
        policy(
            scale_up_threshold_percent=up,
            scale_down_threshold_percent=down,
            flap_margin=margin,
        )
    )

    assert found == size


def outcome(made, size, mean):
    """Return the reason that *size* members at *mean* get from the rules."""
    clones = tuple(
        Member(name=WEST_WEB.clone(n), number=n, usage=mean) for n in range(1, size)
    )
    standings = tuple(Standing(c.name, MemberClass.FRESH, mean) for c in clones)
    standings += (Standing(WEST_WEB.name, MemberClass.FRESH, mean),)
    load = Load(
        standings=standings, mean_up=mean, mean_down=mean, capacity=size, fresh=size
    )
    low = evolve(
        new_group(WEST_WEB, made),
        clones=clones,
        ticks=Ticks(low=made.scale_down_trigger_ticks),
    )
    return decide(low, view(roomy()), load, 0.0).decision.reason


@pytest.mark.parametrize("down", [30.0, 43.0, 60.0, 80.0])
@pytest.mark.parametrize("size", range(2, 20))
def test_the_rules_hold_groups_of_just_these_sizes(down, size):
    made = policy(max_clones=30, scale_down_threshold_percent=down)

    held = outcome(made, size, down - 1e-9) is Reason.WOULD_FLAP

    assert held == (size <= (flapping_size(made) or 0))


@pytest.mark.parametrize("size", range(2, 20))
def test_a_group_shrinks_just_below_the_mean_that_is_told(size):
    made = policy(max_clones=30, scale_down_threshold_percent=60.0)
    mean = shrinking_mean(made, size)

    assert outcome(made, size, mean - 0.001) is Reason.LOW
    assert outcome(made, size, mean + 0.001) is not Reason.LOW


def test_the_hint_tells_sizes_and_means():
    made = policy(max_clones=30, scale_down_threshold_percent=60.0)

    [finding] = lint(made, None)

    assert finding.message == (
        "60 is too near to the up threshold for groups of 2 to 3 members: they shrink "
        "only below 42.5 % to 56.6667 %, as they are many, and are held by would_flap "
        "above that"
    )


def test_the_hint_tells_of_no_more_members_than_there_may_be():
    made = policy(max_clones=1, scale_down_threshold_percent=80.0)

    [finding] = lint(made, None)

    assert "for groups of 2 members: they shrink only below 42.5 %," in finding.message


def test_a_margin_as_large_as_the_threshold_lets_nothing_shrink():
    made = policy(max_clones=30, flap_margin=90.0)

    [finding] = lint(made, None)

    assert "no group of 2 or more members can ever shrink" in finding.message
    assert all(outcome(made, size, 0.0) is Reason.WOULD_FLAP for size in range(2, 10))


@pytest.mark.parametrize(
    ("made", "policies", "room"),
    [
        pytest.param(group(), roomy(), Room(0, 4, None), id="all fit"),
        pytest.param(
            group(clones=4),
            roomy(unikernels=1),
            Room(4, 0, None),
            id="all run already",
        ),
        pytest.param(
            group(),
            roomy(unikernels=1),
            Room(0, 0, Shortage(Reason.NO_CAPACITY, "unikernels", 1, 1, 1, USER)),
            id="not one fits",
        ),
        pytest.param(
            group(clones=1),
            roomy(memory=130),
            Room(1, 2, Shortage(Reason.NO_CAPACITY, "memory", 32, 128, 130, USER)),
            id="some more fit",
        ),
        pytest.param(
            group(),
            roomy(cpuids=frozenset({0, 1, 2})),
            Room(0, 2, Shortage(Reason.NO_CAPACITY, "cpuids", 1, 0, 0, USER)),
            id="a CPU for each",
        ),
    ],
)
def test_the_room_for_clones_is_found_with_what_ends_it(made, policies, room):
    found = find_room(made, view(policies, clones=len(made.clones)))

    assert found == room
    assert found.clones == room.running + room.more


@pytest.mark.parametrize(
    ("pool", "complaint"),
    [
        pytest.param("10.0.0.1-10.0.0.2", "2 addresses, and 3 may be", id="too few"),
        pytest.param("10.0.0.1-10.0.0.3", "none to spare", id="just enough"),
    ],
)
def test_a_pool_without_an_address_to_spare_is_a_hint(pool, complaint):
    policy = Policy(max_clones=3, address_pool=AddressPool.parse(pool))

    [found] = [f for f in lint(policy, 10.0) if f.key == "address_pool"]

    assert found.severity is Severity.HINT
    assert complaint in found.message


def test_a_pool_with_one_to_spare_is_enough():
    pool = AddressPool.parse("10.0.0.1-10.0.0.4")

    found = lint(Policy(max_clones=3, address_pool=pool), 10.0)

    assert all(finding.key != "address_pool" for finding in found)
