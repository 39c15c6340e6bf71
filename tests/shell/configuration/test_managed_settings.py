"""Tests of `[[groups]]` tables with a name: all their members are ours."""

from pathlib import Path

import pytest

from albatross_client.names import Name
from albatross_client.values import Interface, Quit, RestartOnExit
from autoscaler.core.blueprint import Blueprint
from autoscaler.core.group import GroupId
from autoscaler.core.policy import Policy
from autoscaler.shell.configuration.recipes import Recipe
from tests.shell.configuration.shops import SHOP
from tests.shell.configuration.tables import DEPLOYMENT, GROUP, WEST, parse, problems

FILES = Path("/etc/autoscaler")


def group(more="", *, defaults="", host=""):
    text = f"{DEPLOYMENT}{WEST}{host}\n[defaults]\n{defaults}\n{SHOP}{more}"
    [read] = parse(text).groups
    return read


def recipe(more="", **others):
    found = group(more, **others).recipe
    assert found is not None
    return found


def shop_problems(*, shop=SHOP, more="", defaults="", host=""):
    found = problems(f"{DEPLOYMENT}{WEST}{host}\n[defaults]\n{defaults}\n{shop}{more}")
    return [each.removeprefix("[[groups]] #1 (west/user:shop): ") for each in found]


def test_the_least_managed_group_has_one_member_at_least():
    read = group()

    assert read.id == GroupId("west", Name.parse("user:shop"), is_managed=True)
    assert read.policy == Policy(min_clones=1, max_clones=6)
    assert read.recipe == Recipe(image=FILES / "shop.hvt")


def test_a_group_around_a_primary_has_no_recipe():
    [read] = parse(DEPLOYMENT + WEST + GROUP).groups

    assert read.recipe is None


def test_a_blueprint_has_all_that_the_recipe_says():
    made_from = recipe(
        'memory = 64\ncpus = 2\nbridges = { service = "br0" }\narguments = ["-v"]\n'
        'fail_behaviour = "quit"'
    ).blueprint(b"\1" * 32)

    assert made_from == Blueprint(
        digest=b"\1" * 32,
        memory=64,
        cpuids=frozenset({0, 1}),
        interfaces=(Interface("service", "br0"),),
        argv=("-v",),
        fail_behaviour=Quit(),
    )


def test_a_member_without_arguments_has_none():
    assert recipe().blueprint(b"").argv is None


@pytest.mark.parametrize(
    ("line", "key", "value"),
    [
        pytest.param("memory = 20000", "memory", 20000, id="much memory"),
        pytest.param(
            'bridges = ["service", "tap:br1"]',
            "bridges",
            (Interface("service", "service"), Interface("tap", "br1")),
            id="a list of bridges",
        ),
        pytest.param(
            'fail_behaviour = "restart"',
            "fail_behaviour",
            RestartOnExit(),
            id="a restart at every exit",
        ),
        pytest.param(
            "fail_behaviour = [1, 255]",
            "fail_behaviour",
            RestartOnExit(frozenset({1, 255})),
            id="a restart at some exits",
        ),
        pytest.param('arguments = ["{a}"]', "arguments", ("{a}",), id="other braces"),
        pytest.param('image = "/a/b"', "image", Path("/a/b"), id="an absolute path"),
    ],
)
def test_a_key_of_a_recipe_is_read(line, key, value):
    shop = {"image": SHOP.replace('image = "shop.hvt"\n', "")}.get(key, SHOP)
    [read] = parse(f"{DEPLOYMENT}{WEST}{shop}{line}").groups

    assert getattr(read.recipe, key) == value


def test_the_image_is_chosen_by_the_host_s_architecture():
    files = 'image = { x86_64 = "x.hvt", aarch64 = "a.hvt" }'
    shop = SHOP.replace('image = "shop.hvt"', files)
    text = f'{DEPLOYMENT}{WEST}architecture = "aarch64"\n{shop}'

    [read] = parse(text).groups

    assert read.recipe is not None
    assert read.recipe.image == FILES / "a.hvt"


@pytest.mark.parametrize(
    ("image", "host", "complaint"),
    [
        pytest.param(
            '{ aarch64 = "a.hvt" }',
            "",
            "if the host's `architecture` is set",
            id="an unknown host",
        ),
        pytest.param(
            '{ aarch64 = "a.hvt" }',
            'architecture = "x86_64"',
            "one of them for x86_64, which the host is",
            id="another host",
        ),
        pytest.param(
            '{ sparc = "a.hvt" }',
            'architecture = "x86_64"',
            "by architecture (x86_64, aarch64, ppc64le)",
            id="an unknown architecture",
        ),
        pytest.param("{}", "", "must be the path of a file", id="no file"),
        pytest.param('""', "", "must be the path of a file", id="an empty path"),
    ],
)
def test_an_image_that_cannot_be_chosen_is_refused(image, host, complaint):
    shop = SHOP.replace('"shop.hvt"', image)

    [problem] = shop_problems(shop=shop, host=host)

    assert problem.startswith("image = ")
    assert complaint in problem


@pytest.mark.parametrize(
    "line",
    [
        "memory = 0",
        "memory = 1000001",
        "memory = true",
        "cpus = 0",
        'bridges = "service"',
        'bridges = { service = "" }',
        'bridges = ["service", "service:br1"]',
        "bridges = [1]",
        'arguments = "-v"',
        'arguments = ["--ip={address}"]',
        'fail_behaviour = "never"',
        "fail_behaviour = []",
        "fail_behaviour = [256]",
        "fail_behaviour = [true]",
    ],
)
def test_what_is_wrong_with_a_recipe_is_told_with_what_is_allowed(line):
    [problem] = shop_problems(more=line)

    key, _, _ = line.partition(" ")
    assert problem.startswith(f"{key} = ")
    assert ": must be " in problem


def test_an_image_is_required():
    [problem] = shop_problems(shop=SHOP.replace('image = "shop.hvt"', ""))

    assert problem.startswith("image: is missing; must be the path of a file")


def test_a_most_of_members_is_required_whatever_holds_for_clones():
    shop = SHOP.replace("max_members = 6", "")

    [problem] = shop_problems(shop=shop, defaults="max_clones = 3")

    assert problem == "max_members: is missing; must be a whole number from 0 to 10000"


def test_what_holds_for_clones_in_general_does_not_hold_for_members():
    assert group(defaults="min_clones = 3\nmax_clones = 3").policy.min_clones == 1


def test_what_holds_for_all_groups_holds_for_managed_ones_too():
    assert group(defaults='warmup = "7s"').policy.warmup == 7


def test_the_bounds_are_told_in_the_words_of_the_group():
    assert shop_problems(more="min_members = 7") == [
        "min_members (7) must be at most max_members (6)"
    ]
    assert shop_problems(more="min_members = -1") == [
        "min_members = -1: must be a whole number from 0 to 10000"
    ]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (
            "max_clones = 6",
            "all members of a group with a name are ours; must be max_members",
        ),
        (
            "min_clones = 1",
            "all members of a group with a name are ours; must be min_members",
        ),
        (
            'on_primary_loss = "keep"',
            "a group with a name has no primary; must be left out",
        ),
        (
            "share_block_devices = true",
            "a group with a name has no primary; must be left out",
        ),
    ],
)
def test_what_is_said_of_primaries_has_no_place_in_a_managed_group(line, complaint):
    [problem] = shop_problems(more=line)

    assert problem == f"{line}: {complaint}"


@pytest.mark.parametrize("line", ["max_members = 6", 'image = "a"', "memory = 32"])
def test_what_is_said_of_members_has_no_place_beside_a_primary(line):
    [problem] = problems(f"{DEPLOYMENT}{WEST}{GROUP}{line}")

    assert problem.endswith("belongs in a group with a name and no primary")


def test_a_group_has_a_primary_or_a_name():
    [problem] = problems(f'{DEPLOYMENT}{WEST}{GROUP}name = "user:shop"')

    assert problem.endswith("a group has a primary, or a name and no primary: not both")


def test_a_name_has_to_be_one():
    [problem] = problems(f"{DEPLOYMENT}{WEST}{SHOP.replace('user:shop', 'user:')}")

    assert 'name = "user:": must be the name of a unikernel' in problem


def test_an_unknown_key_is_compared_with_those_of_managed_groups():
    assert shop_problems(more="max_member = 3") == [
        "max_member: unknown key; did you mean max_members?"
    ]


def test_nothing_is_said_of_an_image_whose_host_is_unknown():
    shop = SHOP.replace('host = "west"', 'host = "wst"').replace('"shop.hvt"', "{}")

    [problem] = problems(f"{DEPLOYMENT}{WEST}{shop}")

    assert problem.endswith("unknown host; did you mean west?")
