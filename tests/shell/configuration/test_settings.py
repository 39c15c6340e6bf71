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
)
from tests.shell.configuration.tables import (
    DEPLOYMENT,
    EAST,
    FILE,
    GROUP,
    WEST,
    group_problems,
    parse,
    problems,
)

# What requests need beside them.
BALANCED = """
address_pool = "10.0.44.10-10.0.44.60"
[groups.balancer]
socket = "/run/haproxy/admin.sock"
backend = "web"
port = 8080
"""


def policy(more="", *, defaults="", deployment=""):
    text = f"{DEPLOYMENT}{deployment}\n{WEST}\n[defaults]\n{defaults}\n{GROUP}{more}"
    [group] = parse(text).groups
    return group.policy


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
