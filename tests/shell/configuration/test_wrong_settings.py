"""What is wrong with a configuration: all of it, and each where it is."""

import pytest

from tests.shell.configuration.tables import (
    DEPLOYMENT,
    EAST,
    GROUP,
    WEST,
    group_problems,
    problems,
)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        pytest.param("max_clones = -1", "a whole number from 0 to 10000", id="count"),
        pytest.param("max_clones = 10001", "a whole number from 0 to", id="huge"),
        pytest.param("max_clones = 4.0", "a whole number from 0 to", id="fraction"),
        pytest.param("max_clones = true", "a whole number from 0 to", id="a switch"),
        pytest.param('max_clones = "4"', "a whole number from 0 to", id="a text"),
        pytest.param("scale_up_step = 0", "a whole number from 1", id="from one"),
        pytest.param("poll_interval = 10", "a duration with a unit", id="no unit"),
        pytest.param('poll_interval = "0s"', "a duration with a unit", id="no poll"),
        pytest.param('poll_interval = "1ms"', "from 10ms to 3660d", id="too short"),
        pytest.param("flap_margin = 101", "a number from 0 to 100", id="percent"),
        pytest.param("flap_margin = nan", "a number from 0 to 100", id="not a number"),
        pytest.param('flap_margin = "5"', "a number from 0 to 100", id="text percent"),
        pytest.param("flap_margin = true", "a number from 0 to 100", id="true percent"),
        pytest.param("quorum = 0", "above 0 and at most 1", id="no quorum"),
        pytest.param("quorum = 1.5", "above 0 and at most 1", id="more than all"),
        pytest.param('quorum = "3/2"', "above 0 and at most 1", id="an odd fraction"),
        pytest.param('quorum = "1/0"', "above 0 and at most 1", id="no fraction"),
        pytest.param('quorum = "half"', "above 0 and at most 1", id="a word"),
        pytest.param('quorum = "-1/2"', "above 0 and at most 1", id="negative"),
        pytest.param('mode = "off"', '"active", "observe" or "paused"', id="mode"),
        pytest.param("mode = []", '"active", "observe" or "paused"', id="mode list"),
        pytest.param('adopt = "yes"', '"same-image", "always" or "never"', id="adopt"),
        pytest.param("share_cpuids = 1", "true or false", id="switch"),
        pytest.param('argument_template = "-v"', "a list of texts", id="no list"),
        pytest.param("argument_template = [1]", "a list of texts", id="no texts"),
        pytest.param(
            'argument_template = ["{adress}"]', "in braces nothing but", id="braces"
        ),
        pytest.param('address_pool = "10.0.0.1"', "a range of addresses", id="pool"),
        pytest.param(
            'address_pool = "10.0.0.9-10.0.0.1"', "a range of addresses", id="reversed"
        ),
        pytest.param("address_pool = 10", "a range of addresses", id="pool number"),
    ],
)
def test_a_wrong_value_is_told_with_its_place_and_what_is_allowed(line, said):
    key, _, value = line.partition(" = ")
    text = (DEPLOYMENT + WEST + GROUP).replace("max_clones = 4", "")
    if key != "max_clones":
        text += "max_clones = 4\n"

    [problem] = problems(text + line)

    assert problem.startswith(f"[[groups]] #1 (west/user:web): {key} = ")
    assert said in problem
    assert value.strip('"[]') in problem.replace("NaN", "nan")


def test_a_wrong_default_is_told_once_and_not_for_each_group():
    text = f"{DEPLOYMENT}{WEST}[defaults]\nwarmup = 5\n{GROUP}"
    text += GROUP.replace("user:web", "user:api")

    [problem] = problems(text)

    assert problem.startswith("[defaults]: warmup = 5: must be a duration")


def test_a_wrong_cooldown_period_is_told_once_and_by_its_name():
    [problem] = group_problems("cooldown_period = 600")

    assert ": cooldown_period = 600: must be a duration" in problem


def test_two_contradictions_are_both_told():
    found = group_problems("min_clones = 5\nscale_down_threshold_percent = 85")

    assert found == [
        "[[groups]] #1 (west/user:web): min_clones (5) must be at most max_clones (4)",
        (
            "[[groups]] #1 (west/user:web): scale_down_threshold_percent (85) must be "
            "at least 10 below scale_up_threshold_percent (90)"
        ),
    ]


def test_a_contradiction_is_told_beside_a_wrong_value():
    found = group_problems("min_clones = 5\nwarmup = 1")

    assert [": warmup = 1: " in found[0], "min_clones (5)" in found[1]] == [True, True]


def test_a_wrong_value_contradicts_nothing():
    [problem] = group_problems("min_clones = 5.5")

    assert "a whole number" in problem


def test_defaults_have_to_fit_together_by_themselves():
    [problem] = group_problems("", defaults="scale_up_threshold_percent = 45")

    assert problem.startswith("[defaults]: scale_down_threshold_percent (40)")


def test_what_contradicts_the_defaults_is_the_groups_problem():
    [problem] = group_problems("", defaults="min_clones = 9")

    assert problem == (
        "[[groups]] #1 (west/user:web): min_clones (9) must be at most max_clones (4)"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(
            DEPLOYMENT + "stat_dir = 1",
            "[deployment]: stat_dir: unknown key; did you mean state_dir?",
            id="deployment",
        ),
        pytest.param(
            DEPLOYMENT + WEST + GROUP + "max_clone = 1",
            "[[groups]] #1 (west/user:web): max_clone: unknown key; did you mean "
            "max_clones?",
            id="group",
        ),
        pytest.param(
            DEPLOYMENT + "[defaults]\ncooldown = 1",
            "[defaults]: cooldown: unknown key; did you mean cooldown_up?",
            id="defaults",
        ),
        pytest.param(
            DEPLOYMENT + WEST + GROUP + "[groups.ballancer]",
            "[[groups]] #1 (west/user:web): ballancer: unknown key; did you mean "
            "balancer?",
            id="a table of a group",
        ),
        pytest.param(
            DEPLOYMENT + GROUP,
            '[[groups]] #1 (west/user:web): host = "west": unknown host; there are '
            "none",
            id="no hosts",
        ),
        pytest.param(
            DEPLOYMENT + WEST + 'ca_kei = "x"',
            "[[hosts]] #1 (west): ca_kei: unknown; allowed is ca_key",
            id="host",
        ),
        pytest.param(
            DEPLOYMENT + "[group]", "group: unknown table; did you mean groups?", id="-"
        ),
        pytest.param(
            "zzz = 1\n" + DEPLOYMENT,
            "zzz: unknown table; known are defaults, deployment, groups, hosts, http, "
            "notify",
            id="nothing near",
        ),
    ],
)
def test_an_unknown_key_is_told_with_the_nearest_known_one(text, said):
    assert problems(text) == [said]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("", "[deployment]: name: is missing; must be a text", id="none"),
        pytest.param(
            "deployment = 3", "[deployment]: must be a table", id="deployment"
        ),
        pytest.param(
            DEPLOYMENT + "[hosts]", "hosts: must be written as [[hosts]]", id="hosts"
        ),
        pytest.param(
            DEPLOYMENT + "[groups]", "groups: must be written as", id="groups"
        ),
        pytest.param(
            "defaults = 1\n" + DEPLOYMENT, "[defaults]: must be a table", id="defaults"
        ),
        pytest.param("hosts = [1]\n" + DEPLOYMENT, "[[hosts]] #1: is 1", id="a host"),
        pytest.param(
            "groups = [1]\n" + DEPLOYMENT,
            "[[groups]] #1: must be a table",
            id="a group",
        ),
        pytest.param(
            DEPLOYMENT.replace('"test"', '""'), "[deployment]: name = ", id="no name"
        ),
        pytest.param(
            DEPLOYMENT.replace('"state"', "7"), "[deployment]: state_dir = 7", id="path"
        ),
        pytest.param(
            DEPLOYMENT.replace('"state"', '""'), "state_dir = ", id="empty path"
        ),
        pytest.param(
            DEPLOYMENT + WEST + "stats_interval = 1",
            "[[hosts]] #1 (west): stats_interval = 1: must be a duration",
            id="interval",
        ),
        pytest.param(
            DEPLOYMENT + WEST + 'stats_interval = "0s"',
            "[[hosts]] #1 (west): stats_interval = ",
            id="no interval",
        ),
        pytest.param(
            DEPLOYMENT + WEST.replace("ca_key", "#"),
            "[[hosts]] #1 (west): ca_key: is missing",
            id="no key",
        ),
        pytest.param(
            DEPLOYMENT + WEST + WEST.replace("0.1", "0.2"),
            '[[hosts]] #2 (west): name = "west": another host has this name',
            id="two hosts",
        ),
        pytest.param(
            DEPLOYMENT + WEST + GROUP.replace('"west"', '"wst"'),
            '[[groups]] #1 (wst/user:web): host = "wst": unknown host; did you mean',
            id="unknown host",
        ),
        pytest.param(
            DEPLOYMENT + WEST + GROUP.replace('"west"', "7"),
            "[[groups]] #1: host = 7: unknown host",
            id="host number",
        ),
        pytest.param(
            DEPLOYMENT + WEST + GROUP.replace('host = "west"', ""),
            "[[groups]] #1: host: is missing; must be the name of one of",
            id="no host",
        ),
        pytest.param(
            DEPLOYMENT + WEST + GROUP.replace('primary = "user:web"', ""),
            "[[groups]] #1: primary: is missing; must be the name of a unikernel",
            id="no primary",
        ),
        pytest.param(
            DEPLOYMENT + WEST + GROUP.replace("max_clones = 4", ""),
            "[[groups]] #1 (west/user:web): max_clones: is missing; must be a whole",
            id="no max_clones",
        ),
        pytest.param(
            DEPLOYMENT + WEST + GROUP.replace("user:web", "user:"),
            'primary = "user:": must be the name of a unikernel',
            id="a domain",
        ),
        pytest.param(
            DEPLOYMENT + WEST + GROUP.replace("user:web", "user:-web"),
            'primary = "user:-web": must be the name of a unikernel',
            id="no name",
        ),
        pytest.param(
            DEPLOYMENT + WEST + GROUP.replace("web", "w" * 51),
            "its label of at most 50 characters",
            id="long label",
        ),
        pytest.param(
            DEPLOYMENT + WEST + GROUP + GROUP,
            '[[groups]] #2 (west/user:web): primary = "user:web": is the primary of '
            "west/user:web already",
            id="two groups",
        ),
        pytest.param(
            DEPLOYMENT + WEST + GROUP.replace("web", "web-clone-3") + GROUP,
            '[[groups]] #1 (west/user:web-clone-3): primary = "user:web-clone-3": is '
            "named like a clone of west/user:web",
            id="a clone's name",
        ),
        pytest.param(
            DEPLOYMENT
            + WEST
            + EAST.replace("10.0.0.2", "10.0.0.1")
            + GROUP
            + GROUP.replace('"west"', '"east"'),
            "is the primary of west/user:web already",
            id="one machine, two names",
        ),
        pytest.param(
            DEPLOYMENT + WEST + '[defaults]\nhost = "west"\n' + GROUP,
            '[defaults]: host = "west": belongs in a [[groups]] table',
            id="a default host",
        ),
        pytest.param(
            DEPLOYMENT + WEST + GROUP + 'argument_template = ["--ip={address}"]',
            'argument_template = "--ip={address}": uses {address}, so address_pool',
            id="no pool",
        ),
        pytest.param("a = [", "is not TOML: ", id="no TOML"),
        pytest.param(
            "a = 1\na = 2\n", "is not TOML: a key is there twice (at line 2", id="twice"
        ),
        pytest.param("a = " + "9" * 5000, "is not TOML: ", id="a long number"),
        pytest.param("a = " + "[" * 5000, "is not TOML", id="too deep"),
    ],
)
def test_what_is_wrong_is_said_where_it_is(text, said):
    assert said in problems(text)[0]


def test_all_problems_are_told_at_once():
    text = (
        DEPLOYMENT
        + "nam = 1\n"
        + WEST.replace("address", "adress")
        + "[defaults]\nquorum = 2\n"
        + GROUP
        + "warmup = 1\nadopt = 2\n"
        + GROUP.replace("user:web", "user:")
    )

    found = problems(text)

    for said in ("nam:", "adress", "quorum = 2", "warmup = 1", "adopt = 2", '"user:"'):
        assert sum(said in problem for problem in found) == 1


def test_what_is_shown_of_a_value_is_one_short_line():
    [problem] = problems(DEPLOYMENT.replace('"test"', f'"a\\n{"b" * 500}"'))

    assert "\n" not in problem
    assert len(problem) < 200
    assert "\\n" in problem


def test_a_date_is_shown_as_it_is_written():
    [problem] = group_problems("warmup = 2026-01-02")

    assert "warmup = 2026-01-02: must be" in problem


def test_a_list_of_dates_is_not_shown():
    [problem] = group_problems("warmup = [2026-01-02]")

    assert "warmup = ...: must be" in problem
