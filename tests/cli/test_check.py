import json

import pytest
import trio
from attrs import evolve

from albatross_client.errors import CertificateError, HostUnreachableError
from albatross_client.names import Name
from albatross_client.sandbox.embed import SANDBOX_IMAGE
from albatross_client.values import BlockDevice, Config
from autoscaler.cli import main
from autoscaler.cli.findings import found_at_hosts, found_in_settings
from autoscaler.cli.survey import ANSWER_S, survey
from autoscaler.core.lint import Severity
from autoscaler.shell.configuration.settings import load_settings
from tests.cli.checking import WALL, check, opener
from tests.cli.files import HOST, configuration, keys
from tests.sandbox_fixtures import CLONE, WEB


@pytest.fixture
def settings(tmp_path):
    return load_settings(configuration(tmp_path))


async def findings(settings, client, days=365.0):
    seen = await survey(settings, opener(client, days))
    return found_at_hosts(seen, WALL)


def test_a_good_configuration_is_exit_code_0(tmp_path, capsys):
    keys(tmp_path)

    assert check(configuration(tmp_path)) == 0

    out, err = capsys.readouterr()
    assert out.endswith("autoscaler.toml can be used: hosts: 1, groups: 1\n")
    assert err == ""


def test_hints_are_told_and_are_no_failure(tmp_path, capsys):
    assert check(configuration(tmp_path, more='poll_interval = "1s"\n')) == 0

    out, err = capsys.readouterr()
    assert "can be used" in out
    assert err.startswith("hint: group west/user:web: poll_interval: 1 s has no effect")


def test_an_error_that_only_shows_beside_a_host_is_exit_code_1(tmp_path, capsys):
    host = f'{HOST}stats_interval = "10s"\n'

    code = check(configuration(tmp_path, host, more='boot_timeout = "20s"\n'))

    out, err = capsys.readouterr()
    assert code == 1
    assert err.startswith("error: group west/user:web: boot_timeout: 20 s is too short")
    assert out == ""


def test_all_problems_are_told_with_exit_code_1(tmp_path, capsys):
    file = configuration(tmp_path, more="warmup = 3\nquorum = 7\n")

    assert check(file) == 1

    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    place = f"error: {file}: [[groups]] #1 (west/user:web): "
    assert lines[0].startswith(f"{place}warmup: 3: must be a duration")
    assert lines[1].startswith(f"{place}quorum: 7: must be a number above 0")


def test_a_missing_file_is_one_sentence(tmp_path, capsys):
    assert check(tmp_path / "none.toml") == 1

    err = capsys.readouterr().err
    assert err.endswith("none.toml: can't be read: No such file or directory\n")
    assert err.count("\n") == 1


def test_findings_are_json_too(tmp_path, capsys):
    assert check(configuration(tmp_path, more="warmup = 3\n"), "--json") == 1

    report = json.loads(capsys.readouterr().out)
    assert report["ok"] is False
    [finding] = report["findings"]
    assert finding["severity"] == "error"
    assert finding["key"] == "warmup"
    assert "hosts" not in report


def test_a_configuration_without_groups_is_worth_a_hint(tmp_path):
    [found] = found_in_settings(load_settings(configuration(tmp_path, groups="")))

    assert found.severity is Severity.HINT
    assert "there are no [[groups]]" in str(found)


async def test_a_host_that_agrees_leaves_nothing_to_say(
    settings, memory_host, memory_client
):
    memory_host.create(WEB, Config(image=SANDBOX_IMAGE))
    [group] = settings.groups
    few = evolve(group, policy=evolve(group.policy, max_clones=3))

    assert await findings(evolve(settings, groups=(few,)), memory_client) == ()


async def test_more_clones_than_fit_are_told_with_the_number_that_does(
    settings, memory_host, memory_client
):
    memory_host.create(WEB, Config(image=SANDBOX_IMAGE))
    memory_host.create(CLONE, Config(image=SANDBOX_IMAGE, cpuids=frozenset({1})))

    [found] = await findings(settings, memory_client)

    assert found.severity is Severity.HINT
    assert str(found) == (
        "hint: group west/user:web: max_clones: 4 clones are more than fit (3, 1 of "
        "them running): no cpuids for a clone in the policy of user"
    )


async def test_what_other_domains_take_of_a_host_leaves_less_room(
    settings, memory_host, memory_client
):
    roomy = memory_host.settings.root_policy
    memory_host.set_policy(Name(("big",)), evolve(roomy, unikernels=1))
    large = Config(image=SANDBOX_IMAGE, memory=roomy.memory - 100)
    memory_host.create(Name(("big",), "db"), large)
    memory_host.create(WEB, Config(image=SANDBOX_IMAGE, memory=32))

    [found] = await findings(settings, memory_client)

    assert "4 clones are more than fit (2, 0 of them running)" in found.message
    assert found.message.endswith("MB are taken in the policy of the root")


async def test_a_primary_that_does_not_run_is_an_error(settings, memory_client):
    [found] = await findings(settings, memory_client)

    assert str(found) == (
        "error: group west/user:web: primary: user:web does not run on the host"
    )


async def test_a_primary_that_can_not_be_cloned_is_an_error(
    settings, memory_host, memory_client
):
    await memory_client.block_add(evolve(WEB, label="data"), 1)
    blocks = (BlockDevice("storage", "data"),)
    memory_host.create(WEB, Config(image=SANDBOX_IMAGE, blocks=blocks))

    [found] = await findings(settings, memory_client)

    assert found.severity is Severity.ERROR
    assert "the primary has 1 block device" in found.message


async def test_a_minimum_that_does_not_fit_is_an_error(
    settings, memory_host, memory_client
):
    memory_host.create(WEB, Config(image=SANDBOX_IMAGE))
    [group] = settings.groups
    many = evolve(group, policy=evolve(group.policy, min_clones=4))

    [found] = await findings(evolve(settings, groups=(many,)), memory_client)

    assert found.severity is Severity.ERROR


@pytest.mark.parametrize(
    ("days", "said"),
    [
        pytest.param(31, False, id="in a month"),
        pytest.param(30, True, id="within a month"),
        pytest.param(0.5, True, id="today"),
    ],
)
async def test_a_certificate_that_expires_soon_is_told(
    settings, memory_host, memory_client, days, said
):
    memory_host.create(WEB, Config(image=SANDBOX_IMAGE))

    found = await findings(settings, memory_client, days)

    expiring = [each for each in found if "CN=user expires in" in each.message]
    assert bool(expiring) is said


class Mute:
    """A host that never answers one kind of question."""

    def __init__(self, client, what):
        self.client = client
        self.what = what

    async def info(self, name):
        if self.what == "info":
            await trio.sleep_forever()
        return await self.client.info(name)

    async def policies(self, domain):
        if self.what == "policies":
            await trio.sleep_forever()
        return await self.client.policies(domain)


@pytest.mark.parametrize("what", ["policies", "info"])
async def test_a_host_that_does_not_answer_is_a_finding_in_time(
    settings, memory_client, autojump_clock, what
):
    found = await findings(settings, Mute(memory_client, what))

    assert trio.current_time() < 2 * ANSWER_S
    assert f"no answer within {ANSWER_S:g} s" in found[0].message
    assert {each.severity for each in found} == {Severity.ERROR}


class Lost:
    async def info(self, name):
        raise AssertionError

    async def policies(self, domain):
        msg = "127.0.0.1:1025 refused the connection"
        raise HostUnreachableError(msg)


async def test_a_host_that_can_not_be_reached_is_told_once_for_itself(settings):
    host, group = await findings(settings, Lost())

    assert str(host) == "error: host west: 127.0.0.1:1025 refused the connection"
    assert group.message == "its host has not answered"


async def test_keys_that_can_not_be_read_are_a_finding(settings):
    def unreadable(_settings):
        msg = "ca.pem can't be read"
        raise CertificateError(msg)

    found = found_at_hosts(await survey(settings, unreadable), WALL)

    assert [each.message for each in found] == [
        "ca.pem can't be read",
        "its host could not be asked",
    ]


async def test_check_shows_what_a_real_host_says(tls_sandbox, capsys):
    host = HOST.replace("127.0.0.1:1025", tls_sandbox.address)
    tls_sandbox.host.create(WEB, Config(image=SANDBOX_IMAGE))
    file = configuration(tls_sandbox.directory, host)

    code = await trio.to_thread.run_sync(check, file, "--connect")

    out, err = capsys.readouterr()
    assert code == 0
    words = " ".join(out.split())
    assert f"west {tls_sandbox.address} : CN=" in words
    assert "west user: 10 512 0 1 2 3 service" in words
    assert "west : any 16384 0 1 2" in words
    assert "west/user:web runs 4 0 3" in words
    assert err.startswith("hint: group west/user:web: max_clones: 4 clones are more")


async def test_what_a_real_host_says_is_json_too(tls_sandbox, capsys):
    host = HOST.replace("127.0.0.1:1025", tls_sandbox.address)
    file = configuration(tls_sandbox.directory, host)

    code = await trio.to_thread.run_sync(check, file, "--connect", "--json")

    report = json.loads(capsys.readouterr().out)
    assert code == 1
    assert report["hosts"][0]["domain"] == ":"
    assert report["hosts"][0]["certificates"][0]["ends"].endswith("Z")
    user = {p["domain"]: p for p in report["hosts"][0]["policies"]}["user:"]
    assert user["memory_mb"] == 512
    assert user["cpuids"] == [0, 1, 2, 3]
    assert report["groups"] == [
        {
            "group": "west/user:web",
            "managed": False,
            "primary_runs": False,
            "max_clones": 4,
            "clones_running": None,
            "clones_that_fit": None,
        }
    ]


def test_without_keys_a_check_that_connects_fails(tmp_path, capsys):
    host = HOST.replace("127.0.0.1", "[::1]")

    assert check(configuration(tmp_path, host), "--connect") == 1

    out, err = capsys.readouterr()
    assert "west [::1]:1025 -" in " ".join(out.split())
    assert "ca.pem can't be read" in err
    assert "can be used" not in out


def test_keys_that_are_not_there_are_no_json_failure(tmp_path, capsys):
    assert check(configuration(tmp_path), "--connect", "--json") == 1

    [host] = json.loads(capsys.readouterr().out)["hosts"]
    assert host["domain"] is None
    assert host["certificates"] == []


def test_a_diff_tells_what_a_reload_would_change(tmp_path, capsys):
    old = configuration(tmp_path)
    new = tmp_path / "elsewhere" / "new.toml"
    new.parent.mkdir()
    new.write_text(old.read_text().replace("max_clones = 4", "max_clones = 6"))

    code = main(["check", "--diff", str(old), str(new)])

    shown = capsys.readouterr().out
    assert "group west/user:web: max_clones: 4 -> 6\n" in shown
    # Files are named relative to where the new one will lie.
    assert "ca_key" not in shown
    assert code == 0


def test_a_diff_says_what_a_reload_can_not_do(tmp_path, capsys):
    old = configuration(tmp_path)
    new = tmp_path / "new.toml"
    new.write_text(old.read_text().replace('"state"', '"other"'))

    main(["check", "--diff", str(old), str(new)])
    main(["check", "--json", "--diff", str(old), str(new)])

    words, _, shown = capsys.readouterr().out.partition("{")
    assert "state_dir" in words
    assert "(only by a restart)" in words
    [change] = json.loads("{" + shown)["changes"]
    assert (change["key"], change["needs_restart"]) == ("state_dir", True)


def test_a_diff_of_what_is_the_same_says_so(tmp_path, capsys):
    old = configuration(tmp_path)

    main(["check", "--diff", str(old), str(old)])

    assert "a reload would change nothing" in capsys.readouterr().out


def test_a_diff_with_a_bad_file_tells_what_is_wrong_with_it(tmp_path, capsys):
    old = configuration(tmp_path)
    new = tmp_path / "new.toml"
    new.write_text(old.read_text().replace("max_clones", "max_clowns"))

    code = main(["check", "--diff", str(old), str(new)])

    assert code == 1
    assert "did you mean max_clones?" in capsys.readouterr().err


def test_a_state_directory_too_long_for_the_control_socket_is_hinted_at(
    tmp_path, capsys
):
    file = configuration(tmp_path)
    file.write_text(file.read_text().replace('"state"', f'"{"x" * 120}"'))

    main(["check", "--config", str(file)])

    assert "state_dir: " in (said := capsys.readouterr().err)
    assert "choose a shorter state_dir" in said
