"""Managed groups that take each other's members, and what changes in them."""

import pytest

from autoscaler.shell.configuration.changes import changes
from tests.shell.configuration.shops import SHOP
from tests.shell.configuration.tables import (
    DEPLOYMENT,
    EAST,
    GROUP,
    WEST,
    parse,
    problems,
)

# Collisions


def around(primary):
    return GROUP.replace("user:web", primary)


@pytest.mark.parametrize(
    ("others", "complaint"),
    [
        pytest.param(
            (around("user:shop"), SHOP),
            "is the primary of west/user:shop already",
            id="a primary of this name",
        ),
        pytest.param(
            (SHOP, around("user:shop")),
            "is the name of west/user:shop already",
            id="a primary of the name of a group",
        ),
        pytest.param((SHOP, SHOP), "is the name of west/user:shop already", id="twice"),
        pytest.param(
            (SHOP, around("user:shop-1")),
            "is named like a member of west/user:shop",
            id="a primary like a member",
        ),
        pytest.param(
            (around("user:shop-12"), SHOP),
            "is named like a member of west/user:shop",
            id="a member like a primary",
        ),
        pytest.param(
            (around("user:web"), SHOP.replace("user:shop", "user:web-clone")),
            "its members would have the names of those of west/user:web",
            id="members like clones",
        ),
        pytest.param(
            (SHOP, SHOP.replace("user:shop", "user:shop-3")),
            "is named like a member of west/user:shop",
            id="a group like a member",
        ),
    ],
)
def test_groups_that_could_take_each_other_s_members_are_refused(others, complaint):
    [problem] = problems(f"{DEPLOYMENT}{WEST}{''.join(others)}")

    assert complaint in problem


@pytest.mark.parametrize(
    "others",
    [
        pytest.param((SHOP, around("user:shop-01")), id="a padded number"),
        pytest.param((SHOP, around("user:shop-clone")), id="no number"),
        pytest.param((SHOP, around("other:shop-1")), id="another domain"),
        pytest.param(
            (SHOP, around("user:shop-1").replace("west", "east")), id="another machine"
        ),
        pytest.param(
            (SHOP, SHOP.replace("user:shop", "user:shop-x")), id="a longer name"
        ),
    ],
)
def test_groups_that_share_no_name_are_fine(others):
    assert len(parse(f"{DEPLOYMENT}{WEST}{EAST}{''.join(others)}").groups) == 2


def pooled(name, pool):
    shop = SHOP.replace("user:shop", f"user:{name}")
    return f'{shop}address_pool = "{pool}"\n'


def test_groups_with_addresses_in_common_are_refused():
    groups = (
        pooled("a", "10.0.0.10-10.0.0.99")
        + pooled("b", "10.0.0.20-10.0.0.30")
        + pooled("c", "10.0.0.99-10.0.0.120")
        + pooled("d", "10.0.0.121-10.0.0.122")
        + pooled("e", "fd00::10-fd00::20")
        + pooled("f", "fd00::20-fd00::20")
    )

    found = problems(f"{DEPLOYMENT}{WEST}{groups}")

    assert [problem.partition("): ")[2] for problem in found] == [
        f'address_pool = "{pool}": has addresses of west/user:{owner} in it; '
        "each needs its own"
        for pool, owner in (
            ("10.0.0.20-10.0.0.30", "a"),
            ("10.0.0.99-10.0.0.120", "a"),
            ("fd00::20-fd00::20", "e"),
        )
    ]


# Changes


def differences(old, new):
    texts = (f"{DEPLOYMENT}{WEST}{groups}" for groups in (old, new))
    return [str(change) for change in changes(*map(parse, texts))]


def test_what_changes_in_a_managed_group_is_told_by_its_own_keys():
    new = (
        SHOP.replace("max_members = 6", "max_members = 7").replace("shop.hvt", "b.hvt")
        + 'bridges = { tap = "br1" }\nfail_behaviour = [1]\nmemory = 64\n'
    )

    assert differences(SHOP, new) == [
        f"managed group west/user:shop: {change}"
        for change in (
            "max_members: 6 -> 7",
            "image: /etc/autoscaler/shop.hvt -> /etc/autoscaler/b.hvt",
            "memory: 32 -> 64",
            'bridges: [] -> ["tap:br1"]',
            'fail_behaviour: "restart" -> [1]',
        )
    ]
    quit_at_exit = f'{SHOP}fail_behaviour = "quit"\n'
    assert differences(quit_at_exit, SHOP) == [
        'managed group west/user:shop: fail_behaviour: "quit" -> "restart"'
    ]


def test_a_primary_that_becomes_managed_is_another_group():
    assert differences(around("user:shop"), SHOP) == [
        "group west/user:shop: removed: its clones are left running",
        "managed group west/user:shop: added",
    ]
