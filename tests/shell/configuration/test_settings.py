from pathlib import Path

import attrs
import pytest

from albatross_client.names import Name
from autoscaler.core.addresses import AddressPool
from autoscaler.core.demand import RequestPolicy
from autoscaler.core.group import GroupId
from autoscaler.core.policy import Adopt, Mode, Policy
from autoscaler.shell.configuration.keys import POLICY
from autoscaler.shell.configuration.settings import (
    SettingsError,
    load_settings,
    parse_settings,
)

FILE = Path("/etc/autoscaler/autoscaler.toml")
DEPLOYMENT = """
[deployment]
name = "test"
state_dir = "state"
"""
WEST = """
[[hosts]]
name = "west"
address = "10.0.0.1:1025"
server_ca = "server-ca.pem"
ca = "user.pem"
ca_key = "user.key"
"""
EAST = WEST.replace("west", "east").replace("10.0.0.1", "10.0.0.2")
GROUP = """
[[groups]]
host = "west"
primary = "user:web"
max_clones = 4
"""

# What requests need beside them.
BALANCED = """
address_pool = "10.0.44.10-10.0.44.60"
[groups.balancer]
socket = "/run/haproxy/admin.sock"
backend = "web"
port = 8080
"""


def parse(text):
    return parse_settings(text, FILE)


def policy(more="", *, defaults="", deployment=""):
    text = f"{DEPLOYMENT}{deployment}\n{WEST}\n[defaults]\n{defaults}\n{GROUP}{more}"
    [group] = parse(text).groups
    return group.policy


def problems(text):
    with pytest.raises(SettingsError) as caught:
        parse(text)
    return [str(problem).removeprefix(f"{FILE}: ") for problem in caught.value.problems]


def group_problems(more, *, defaults=""):
    return problems(f"{DEPLOYMENT}{WEST}\n[defaults]\n{defaults}\n{GROUP}{more}")


def test_the_least_configuration_has_the_defaults_everywhere_else():
    settings = parse(DEPLOYMENT + WEST + GROUP)

    assert settings.path == FILE
    assert settings.deployment.name == "test"
    assert settings.deployment.state_dir == Path("/etc/autoscaler/state")
    assert settings.deployment.mode is Mode.ACTIVE
    assert settings.deployment.shutdown_timeout == 30
    assert settings.deployment.reconcile_interval == 60
    assert settings.deployment.history_keep == 7 * 86_400
    [group] = settings.groups
    assert group.id == GroupId("west", Name.parse("user:web"))
    assert group.policy == Policy(max_clones=4)


def test_a_host_is_as_the_client_reads_it_with_paths_relative_to_the_file():
    text = WEST + 'stats_interval = "1s"\nserver_name = "host"\n'
    [host] = parse(DEPLOYMENT + text + GROUP).hosts

    assert host.name == "west"
    assert host.address == ("10.0.0.1", 1025)
    assert host.access.ca_key == Path("/etc/autoscaler/user.key")
    assert host.access.server_name == "host"
    assert host.stats_interval == 1


def test_an_interval_that_is_not_configured_is_not_known():
    [host] = parse(DEPLOYMENT + WEST).hosts

    assert host.stats_interval is None


def test_an_absolute_path_stays_what_it_is():
    settings = parse(DEPLOYMENT.replace('"state"', '"/var/lib/state"'))

    assert settings.deployment.state_dir == Path("/var/lib/state")


def test_a_configuration_may_have_no_groups():
    assert parse(DEPLOYMENT + WEST).groups == ()


@pytest.mark.parametrize(
    ("line", "key", "value"),
    [
        pytest.param("min_clones = 2", "min_clones", 2, id="a count"),
        pytest.param('mode = "paused"', "mode", Mode.PAUSED, id="a mode"),
        pytest.param('poll_interval = "10ms"', "poll_interval", 0.01, id="a duration"),
        pytest.param('warmup = "0s"', "warmup", 0, id="no duration"),
        pytest.param("flap_margin = 7.5", "flap_margin", 7.5, id="a percentage"),
        pytest.param('quorum = "2/3"', "quorum", 2 / 3, id="a fraction"),
        pytest.param("quorum = 1", "quorum", 1, id="all"),
        pytest.param('adopt = "never"', "adopt", Adopt.NEVER, id="a choice"),
        pytest.param("share_cpuids = true", "share_cpuids", True, id="a switch"),
        pytest.param(
            'argument_template = ["--n={name}", "-v"]',
            "argument_template",
            ("--n={name}", "-v"),
            id="a list",
        ),
        pytest.param(
            'address_pool = "10.0.0.1-10.0.0.9"',
            "address_pool",
            AddressPool.parse("10.0.0.1-10.0.0.9"),
            id="a pool",
        ),
    ],
)
def test_a_key_has_the_same_meaning_in_a_group_and_in_the_defaults(line, key, value):
    assert getattr(policy(line), key) == value
    assert getattr(policy(defaults=line), key) == value


def test_every_field_of_a_policy_is_a_key():
    # What is said of the balancer stands in tables of its own.
    names = [field.name for field in attrs.fields(Policy)]
    assert list(POLICY) == [name for name in names if name != "serving"]


def test_a_group_wins_over_the_defaults():
    assert policy("min_clones = 1", defaults="min_clones = 2").min_clones == 1
    assert policy(defaults="max_clones = 9").max_clones == 4


def test_max_clones_may_come_from_the_defaults():
    text = f"{DEPLOYMENT}{WEST}[defaults]\nmax_clones = 7\n"
    [group] = parse(text + GROUP.replace("max_clones = 4", "")).groups

    assert group.policy.max_clones == 7


@pytest.mark.parametrize(
    ("defaults", "own", "up", "down"),
    [
        pytest.param("", 'cooldown_period = "5m"', 300, 300, id="sets both"),
        pytest.param('cooldown_period = "5m"', "", 300, 300, id="from the defaults"),
        pytest.param(
            "", 'cooldown_period = "5m"\ncooldown_up = "1m"', 60, 300, id="but not up"
        ),
        pytest.param(
            "", 'cooldown_period = "5m"\ncooldown_down = "1m"', 300, 60, id="nor down"
        ),
        pytest.param(
            'cooldown_up = "1m"',
            'cooldown_period = "5m"',
            300,
            300,
            id="a group's wins over a default",
        ),
        pytest.param(
            'cooldown_period = "5m"',
            'cooldown_up = "1m"',
            60,
            300,
            id="a group's own one wins",
        ),
    ],
)
def test_cooldown_period_stands_for_both_cooldowns(defaults, own, up, down):
    found = policy(own, defaults=defaults)

    assert (found.cooldown_up, found.cooldown_down) == (up, down)


@pytest.mark.parametrize(
    ("deployment", "group", "mode"),
    [
        pytest.param("active", "observe", Mode.OBSERVE, id="the group's is careful"),
        pytest.param("observe", "active", Mode.OBSERVE, id="the deployment's is"),
        pytest.param("paused", "observe", Mode.PAUSED, id="paused is most careful"),
        pytest.param("active", "active", Mode.ACTIVE, id="both are bold"),
    ],
)
def test_a_group_is_no_bolder_than_its_deployment(deployment, group, mode):
    found = policy(f'mode = "{group}"', deployment=f'mode = "{deployment}"')

    assert found.mode is mode


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
        pytest.param("a = " + "9" * 5000, "is not TOML: ", id="a long number"),
        pytest.param("a = " + "[" * 5000, "is not TOML", id="too deep"),
    ],
)
def test_what_is_wrong_is_said_where_it_is(text, said):
    assert said in problems(text)[0]


def test_a_syntax_error_is_told_with_its_line():
    [problem] = problems("[deployment]\nname = \n")

    assert "line 2" in problem


def test_the_same_primary_on_another_machine_is_another_group():
    text = DEPLOYMENT + WEST + EAST + GROUP + GROUP.replace('"west"', '"east"')

    assert len(parse(text).groups) == 2


def test_a_label_that_only_looks_like_a_clones_is_another_group():
    odd = GROUP.replace("user:web", "user:web-clone-03")
    alone = GROUP.replace("user:web", "user:-clone-3".replace(":-", ":.-"))

    assert len(parse(DEPLOYMENT + WEST + GROUP + odd + alone).groups) == 3


def test_a_thousand_groups_are_read_in_one_go():
    groups = (GROUP.replace("user:web", f"user:web{n}") for n in range(1000))

    assert len(parse(DEPLOYMENT + WEST + "".join(groups)).groups) == 1000


def test_a_pool_in_the_defaults_serves_a_template_in_a_group():
    found = policy(
        'argument_template = ["--ip={address}"]',
        defaults='address_pool = "10.0.0.1-10.0.0.9"',
    )

    assert found.argument_template == ("--ip={address}",)


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


def test_a_file_is_read_from_its_own_directory(tmp_path):
    file = tmp_path / "autoscaler.toml"
    file.write_text(DEPLOYMENT + WEST + GROUP)

    assert load_settings(file).deployment.state_dir == tmp_path / "state"


def test_a_byte_order_mark_is_not_minded(tmp_path):
    file = tmp_path / "autoscaler.toml"
    file.write_bytes(b"\xef\xbb\xbf" + DEPLOYMENT.encode())

    assert load_settings(file).deployment.name == "test"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(None, "can't be read: No such file or directory", id="missing"),
        pytest.param(b"name = '\xff'", "is not UTF-8 text: byte 8", id="not UTF-8"),
    ],
)
def test_a_file_that_can_not_be_read_is_one_sentence(tmp_path, content, said):
    file = tmp_path / "autoscaler.toml"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(SettingsError, match=said) as caught:
        load_settings(file)

    assert len(caught.value.problems) == 1
    assert str(caught.value).startswith(str(file))


def test_a_directory_is_no_configuration(tmp_path):
    with pytest.raises(SettingsError, match="can't be read: Is a directory"):
        load_settings(tmp_path)


def test_requests_have_a_table_of_their_own():
    requests = '[groups.requests]\ntarget_in_flight = 3\nstabilise = "30s"'

    found = policy(f"{BALANCED}{requests}")

    assert found.requests == RequestPolicy(target_in_flight=3.0, stabilise=30.0)
    assert (found.max_actions_per_hour, found.max_reversals_per_6h) == (400, 400)
    assert policy().requests is None
    assert policy().max_actions_per_hour == 40


@pytest.mark.parametrize(
    ("more", "said"),
    [
        pytest.param(
            "[groups.requests]\nmax_step_up = 2",
            "[[groups]] #1 (west/user:web), [groups.requests]: one of "
            "target_in_flight, target_rps and max_queue_ms must be set: without a "
            "target requests call for nothing",
            id="no target",
        ),
        pytest.param(
            "[groups.requests]\ntarget_rps = 0",
            "[[groups]] #1 (west/user:web), [groups.requests]: target_rps = 0: must be "
            "a number above 0",
            id="a zero",
        ),
        pytest.param(
            "[groups.requests]\ntarget_rsp = 5",
            "[[groups]] #1 (west/user:web), [groups.requests]: target_rsp: unknown "
            "key; did you mean target_rps?",
            id="an unknown key",
        ),
        pytest.param(
            "requests = 5",
            "[[groups]] #1 (west/user:web), [groups.requests]: must be a table",
            id="no table",
        ),
    ],
)
def test_what_is_wrong_with_requests_is_told(more, said):
    assert said in group_problems(more)


def test_requests_have_no_defaults_of_the_deployment():
    [said] = group_problems("", defaults="requests = { target_rps = 5 }")

    assert said.startswith("[defaults]: requests")
    assert said.endswith("belongs in a [[groups]] table")
