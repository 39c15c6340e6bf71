"""What policies allow, in the hosts' words."""

import pytest
from attrs import evolve

from albatross_client import commands as c
from albatross_client.names import ROOT, Name
from albatross_client.sandbox.host import handle, new_host
from albatross_client.sandbox.limits import (
    check_block,
    check_create,
    insert_policies,
)
from albatross_client.sandbox.live import DEFAULT_ROOT_POLICY
from albatross_client.sandbox.state import Request
from albatross_client.values import (
    Arguments,
    BlockDevice,
    Config,
    Interface,
    ResourcePolicy,
    Timestamp,
)
from tests.sandbox_fixtures import IMAGE

NOW = Timestamp(0)
ORG = Name(("org",))
TEAM = Name(("org", "team"))
SMALL = ResourcePolicy(
    cpuids=frozenset({0, 1}),
    unikernels=2,
    memory=100,
    block=10,
    bridges=frozenset({"service"}),
)
LARGE = ResourcePolicy(
    cpuids=frozenset({0, 1, 2}),
    unikernels=4,
    memory=200,
    block=20,
    bridges=frozenset({"service"}),
)


def a_host(policies, running=(), devices=()):
    host = new_host(DEFAULT_ROOT_POLICY, policies)
    for name, size in devices:
        host, _ = handle(host, Request(caller=1, name=name, command=size), NOW)
    for name, config in running:
        command = c.UnikernelCreate(evolve(config, image=IMAGE))
        host, _ = handle(host, Request(caller=1, name=name, command=command), NOW)
    assert len(host.unikernels) == len(running)
    return host


def in_team(label):
    return Name(("org", "team"), label)


def test_limits_count_all_at_and_below_the_path():
    host = a_host(
        {ORG: SMALL},
        [(in_team("a"), Config(memory=40)), (Name(("org",), "b"), Config(memory=50))],
    )

    problem = check_create(host, Name(("org",), "c"), Arguments())

    assert problem == "maximum amount of unikernels (2) reached"


def test_only_the_policy_of_the_own_path_is_looked_at():
    host = a_host({ORG: SMALL}, [(Name(("org",), "a"), Config())] * 1)

    problem = check_create(host, in_team("b"), Arguments(memory=4096))

    assert problem is None


def test_the_root_policy_holds_for_unikernels_at_the_root():
    host = a_host({})

    problem = check_create(host, Name((), "x"), Arguments(cpuids=frozenset({9, 8})))

    assert problem == "CPUids 8, 9 are not allowed by policy"


@pytest.mark.parametrize(
    ("wanted", "problem"),
    [
        (Arguments(memory=60), None),
        (
            Arguments(memory=61),
            "maximum allowed memory (100, used 40) would be exceeded (requesting 61)",
        ),
        (Arguments(cpuids=frozenset()), None),
        (
            Arguments(interfaces=(Interface("a", "x"), Interface("y"))),
            "bridges x, y not allowed by policy",
        ),
        (Arguments(interfaces=(Interface("service"),)), None),
        (
            Arguments(blocks=(BlockDevice("a", "b"),)),
            "block device org:b not found",
        ),
        (
            Arguments(blocks=(BlockDevice("disk"),)),
            "block device org:disk already in use",
        ),
        (Arguments(blocks=(BlockDevice("x", "spare"),)), None),
    ],
    ids=[
        "memory fits",
        "memory",
        "no cpuids",
        "bridges",
        "bridge by its own name",
        "no device",
        "device in use",
        "device",
    ],
)
def test_a_create_is_held_to_every_resource(wanted, problem):
    host = a_host(
        {ORG: SMALL},
        [(Name(("org",), "a"), Config(memory=40, blocks=(BlockDevice("disk"),)))],
        [
            (Name(("org",), "disk"), c.BlockAdd(1)),
            (Name(("org",), "spare"), c.BlockAdd(1)),
        ],
    )

    assert check_create(host, Name(("org",), "b"), wanted) == problem


def test_a_bridge_that_the_machine_lacks_does_not_exist_without_a_policy_either():
    problem = check_create(
        a_host({}), Name(("free",), "x"), Arguments(interfaces=(Interface("nosuch"),))
    )

    assert problem == "bridge nosuch does not exist"


@pytest.mark.parametrize(
    ("policy", "size", "problem"),
    [
        (SMALL, 6, None),
        (
            SMALL,
            7,
            (
                "block device policy limit of 10 MB (used 4 MB) would be exceeded by "
                "the request (7 MB)"
            ),
        ),
        (None, 9999, None),
    ],
    ids=["fits", "limit", "no policy"],
)
def test_a_block_device_is_held_to_its_paths_policy(policy, size, problem):
    policies = {} if policy is None else {ORG: policy}
    host = a_host(policies, devices=[(in_team("d"), c.BlockAdd(4))])

    assert check_block(host, Name(("org",), "e"), size) == problem


def test_a_policy_without_block_storage_allows_no_device():
    host = a_host({ORG: evolve(SMALL, block=None)})

    problem = check_block(host, Name(("org",), "e"), 1)

    assert problem == "no block devices are allowed by policy"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"unikernels": 3}, "policy above allows 2 unikernels, which is fewer than 3"),
        (
            {"memory": 101},
            "policy above allows 100 MB memory, which is fewer than 101 MB",
        ),
        (
            {"cpuids": frozenset({1, 2})},
            "policy above allows CPUids 0, 1, which is not a superset of 1, 2",
        ),
        (
            {"bridges": frozenset({"a", "b"})},
            "policy above allows bridge(s) service, which is not a superset of a, b",
        ),
        (
            {"block": 11},
            "policy above allows 10 MB block storage, which is fewer than 11 MB",
        ),
    ],
    ids=["unikernels", "memory", "cpuids", "bridges", "block"],
)
@pytest.mark.parametrize("parent_first", [True, False])
def test_a_policy_fits_below_its_parent(change, problem, parent_first):
    pair = [(ORG, SMALL), (TEAM, evolve(SMALL, **change))]
    first, second = pair if parent_first else reversed(pair)
    host = a_host(dict([first]))

    after, refusal = insert_policies(host, [second])

    assert refusal is not None
    assert refusal.text == (
        "expected success when adding policy, got: "
        f"host [unikernel: {second[0]}]: command failed {problem}"
    )
    assert after == host


@pytest.mark.parametrize("block", [None, 0, 10], ids=str)
def test_a_policy_with_no_more_block_storage_than_its_parent_fits(block):
    host = a_host({ORG: SMALL})

    _, refusal = insert_policies(host, [(TEAM, evolve(SMALL, block=block))])

    assert refusal is None


def test_a_parent_without_block_storage_allows_none_below():
    host = a_host({ORG: evolve(SMALL, block=None)})

    _, refusal = insert_policies(host, [(TEAM, SMALL)])

    assert refusal is not None
    assert refusal.text.endswith(
        "policy above allows 0 MB block storage, which is fewer than 10 MB"
    )


def test_a_policy_need_not_fit_the_roots():
    huge = evolve(SMALL, memory=10**9, cpuids=frozenset({99}))

    _, refusal = insert_policies(a_host({}), [(ORG, huge)])

    assert refusal is None


@pytest.mark.parametrize(
    ("policy", "problem"),
    [
        (
            evolve(LARGE, cpuids=frozenset({0})),
            "policy allows CPUids 0, which is not a superset of 0, 1",
        ),
        (
            evolve(LARGE, bridges=frozenset()),
            "policy allows bridges , which is not a superset of service",
        ),
        (
            evolve(LARGE, unikernels=1),
            (
                "unikernel would exceed running unikernel limit set by policy to 1, "
                "running 2"
            ),
        ),
        (
            evolve(LARGE, memory=63),
            (
                "unikernel would exceed running memory limit set by policy to 63 MB, "
                "used 64 MB"
            ),
        ),
        (
            evolve(LARGE, block=None),
            (
                "unikernel would exceed running block storage limit set by policy to "
                "0 MB, used 4 MB"
            ),
        ),
    ],
    ids=["cpuids", "bridges", "unikernels", "memory", "block"],
)
def test_a_policy_is_not_below_what_runs(policy, problem):
    host = a_host(
        {ORG: LARGE},
        [
            (Name(("org",), "a"), Config(interfaces=(Interface("service"),))),
            (in_team("b"), Config(cpuids=frozenset({1}))),
        ],
        [(in_team("d"), c.BlockAdd(4))],
    )

    after, refusal = insert_policies(host, [(ORG, policy)])

    assert refusal is not None
    assert refusal.text.endswith(f"command failed {problem}")
    assert after == host


def test_a_policy_that_is_stored_already_is_not_checked_again():
    host = a_host({ORG: LARGE})
    host = evolve(host, policies={**host.policies, ORG: SMALL, TEAM: LARGE})

    after, refusal = insert_policies(host, [(TEAM, LARGE)])

    assert (after, refusal) == (host, None)


def test_the_policies_of_a_chain_are_stored_innermost_first():
    wider = evolve(SMALL, memory=150)
    host = a_host({ORG: SMALL})

    _, refusal = insert_policies(host, [(ORG, LARGE), (TEAM, wider)])

    assert refusal is not None
    assert "policy above allows 100 MB memory" in refusal.text


def test_a_host_does_not_begin_with_policies_that_do_not_fit():
    with pytest.raises(ValueError, match="policy above allows 2 unikernels"):
        new_host(DEFAULT_ROOT_POLICY, {ORG: SMALL, TEAM: LARGE})


def test_the_root_policy_is_kept_apart():
    assert new_host(DEFAULT_ROOT_POLICY, {}).policies == {ROOT: DEFAULT_ROOT_POLICY}
