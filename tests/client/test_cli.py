"""albatrossctl against a sandbox, as a shell sees it."""

import hashlib
import json
import subprocess
import sys

import pytest

from albatross_client.cli import main
from albatross_client.cli.host_options import endpoint_of
from albatross_client.cli.main import whole_parser
from albatross_client.endpoint import MIB, Limits
from tests.client.ctl_process import sandbox_in

IMAGE = b"\x7fELF" + bytes(range(256)) * 100


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    """The directory of a sandbox in a process of its own, ``h.toml`` in it."""
    with sandbox_in(tmp_path_factory.mktemp("sandbox")) as directory:
        (directory / "image").write_bytes(IMAGE)
        yield directory


@pytest.fixture
def ctl(sandbox, capsysbinary):
    """Run a command on the sandbox; return its code, output and complaint."""

    def run(*arguments, host=("--config", str(sandbox / "h.toml"))):
        try:
            code = main([*arguments, *host])
        except SystemExit as end:
            # How argparse ends.
            code = int(end.code or 0)
        captured = capsysbinary.readouterr()
        return code, captured.out.decode(), captured.err.decode()

    return run


@pytest.fixture
def asked(ctl):
    """Run a command with ``--json``; return what it printed."""

    def run(*arguments, **options):
        code, out, err = ctl(*arguments, "--json", **options)
        assert (code, err) == (0, "")
        return json.loads(out)

    return run


def test_what_runs_is_listed_for_people_and_programs(ctl, asked):
    code, out, _ = ctl("info", "user:web")
    (web,) = asked("info", "user:web")["unikernels"]

    assert code == 0
    header, line = out.splitlines()
    assert header.split()[:3] == ["NAME", "TYPE", "CPUS"]
    assert line.split()[:2] == ["user:web", "solo5"]
    assert line.index("solo5") == header.index("TYPE")
    assert web["name"] == "user:web"
    assert web["arguments"] == ["--name=web"]
    assert len(bytes.fromhex(web["digest"])) == 32
    assert web["started"].endswith("Z")


def test_a_name_that_is_not_there_is_an_empty_list(asked):
    assert asked("info", "user:gone") == {"unikernels": []}


def test_policies_are_listed(ctl, asked):
    everything = asked("policy")["policies"]
    _, out, _ = ctl("policy", "user:")

    assert [each["domain"] for each in everything] == [":", "user:"]
    assert everything[1] == {
        "domain": "user:",
        "unikernels": 10,
        "cpuids": [0, 1, 2, 3],
        "memory_mb": 1024,
        "block_mb": 100,
        "bridges": everything[1]["bridges"],
    }
    assert "0-3" in out


def test_a_unikernel_lives_from_create_to_destroy(ctl, asked, sandbox, tmp_path):
    image = str(sandbox / "image")
    fetched = tmp_path / "fetched"
    how = ("--memory", "64", "--cpuid", "1", "--restart-on-exit", "1,2", "--arg=-l=1")

    created = asked("create", "user:job", image, "--compress", "6", *how)
    (info,) = asked("info", "user:job")["unikernels"]
    image_said = asked("image", "user:job", "-o", str(fetched))
    restarted = asked("restart", "user:job", "--replace", "--memory", "32")
    (smaller,) = asked("info", "user:job")["unikernels"]
    destroyed = asked("destroy", "user:job")

    assert created == {"name": "user:job", "done": "created"}
    assert (info["memory_mb"], info["cpuids"]) == (64, [1])
    assert info["restart_on_exit"] == [1, 2]
    assert info["arguments"] == ["--name=job", "-l=1"]
    assert info["digest"] == hashlib.sha256(IMAGE).hexdigest()
    assert fetched.read_bytes() == IMAGE
    assert image_said["sha256"] == info["digest"]
    assert restarted["done"] == "restarted"
    assert smaller["memory_mb"] == 32
    assert destroyed["done"] == "destroyed"
    assert ctl("destroy", "user:job") == (1, "", "albatrossctl: destroy: not found\n")


def test_block_devices_are_made_filled_read_and_removed(ctl, asked, sandbox, tmp_path):
    content = str(sandbox / "image")
    fetched = tmp_path / "fetched"

    assert asked("block", "add", "user:disk", "1")["done"] == "added"
    assert asked("block", "set", "user:disk", content)["done"] == "set"
    listed = asked("block", "list", "user:")["blocks"]
    code, out, _ = ctl("block", "dump", "user:disk", "--output", str(fetched))
    _, table, _ = ctl("block", "list")

    assert listed == [{"name": "user:disk", "size_mb": 1, "active": False}]
    assert code == 0
    assert "SHA-256" in out
    assert fetched.read_bytes().startswith(IMAGE)
    assert "user:disk  1   no" in table
    assert asked("block", "remove", "user:disk")["done"] == "removed"


def test_statistics_are_followed_for_a_while(ctl):
    _, lines, _ = ctl("stats", "user:", "--count", "2", "--json")
    _, table, _ = ctl("stats", "--count", "2")

    first, second = (json.loads(line) for line in lines.splitlines())
    assert first["name"] == "user:web"
    assert second["received"] > first["received"]
    assert table.splitlines()[0].split()[:2] == ["TIME", "CPU-%"]
    assert len(table.splitlines()) == 3


def test_a_console_is_followed_for_a_while(ctl, asked):
    line = asked("console", "user:web", "--count", "1")
    code, out, _ = ctl("console", "user:web", "--count", "1", "--lines", "1")

    assert set(line) == {"time", "text", "hex"}
    assert (code, len(out.splitlines())) == (0, 1)


def test_check_says_whose_key_it_is_and_who_answers(ctl, asked):
    seen = asked("check")
    _, out, _ = ctl("check")

    assert (seen["domain"], seen["warnings"]) == (":", [])
    assert seen["server"]["name"] == "sandbox"
    assert seen["server_ca"]["subject"] == "CN=sandbox CA"
    assert [each["domain"] for each in seen["policies"]] == [":", "user:"]
    assert f'server_key_sha256 = "{seen["server"]["key_sha256"]}"' in out


def test_check_warns_of_keys_that_others_can_read(sandbox, ctl, asked, tmp_path):
    key = tmp_path / "user.key"
    key.write_bytes((sandbox / "user.key").read_bytes())
    key.chmod(0o644)
    options = by_options(sandbox, ca="user.pem")
    options = (*options[:-1], str(key))

    seen = asked("check", host=options)
    _, out, _ = ctl("check", host=options)

    assert f"warning: {key} can be read by others" in out
    assert seen["domain"] == "user:"
    (warning,) = seen["warnings"]
    assert "user.key can be read by others" in warning


def by_options(sandbox, ca="ca.pem"):
    address = next(
        line.partition('"')[2].rstrip('"')
        for line in (sandbox / "h.toml").read_text().splitlines()
        if line.startswith("address")
    )
    return (
        *("--address", address, "--server-ca", str(sandbox / "ca.pem")),
        *("--ca", str(sandbox / ca)),
        *("--ca-key", str((sandbox / ca).with_suffix(".key"))),
    )


def test_how_much_is_taken_can_be_said(sandbox):
    words = ("block", "dump", "user:a", "-o", "x", *by_options(sandbox))

    usual, more = (
        endpoint_of(whole_parser().parse_args([*words, *limit])).limits
        for limit in ((), ("--limit", "5000"))
    )

    assert (usual, more.image_bytes) == (Limits(), 5000 * MIB)


def test_a_host_can_be_named_by_options(asked, sandbox):
    found = asked("info", host=by_options(sandbox, "user.pem"))["unikernels"]

    assert [each["name"] for each in found] == ["user:web"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(("info",), "which host? give --config FILE", id="no host"),
        pytest.param(
            ("info", "--ca", "x"), "or also --address, --server-ca, --ca-key", id="half"
        ),
        pytest.param(
            ("info", "--ca", "x", "--config", "y"), "or --ca, not both", id="both"
        ),
        pytest.param(("info", "--config", "/none"), "/none can't be read", id="file"),
        pytest.param(
            ("info", "--config", "{}/h.toml", "--host", "x"),
            "has no host 'x'; it has sandbox",
            id="another host",
        ),
        pytest.param(
            (
                *("info", "--address", "a:0", "--server-ca", "x", "--ca", "x"),
                *("--ca-key", "x"),
            ),
            "options.address is 'a:0': allowed is HOST:PORT",
            id="address",
        ),
        pytest.param(
            ("create", "user:a", "/none", "--config", "{}/h.toml"),
            "/none can't be read",
            id="no image",
        ),
        pytest.param(
            ("create", "user:a", "{}/image", "--net", ":", "--config", "{}/h.toml"),
            "--net ':': allowed is NAME",
            id="net",
        ),
        pytest.param(
            ("create", "user:a", "{}/image", "--block", "@", "--config", "{}/h.toml"),
            "--block '@': allowed is NAME",
            id="block",
        ),
        pytest.param(
            (
                *("create", "user:a", "{}/image", "--restart-on-exit", "x"),
                *("--config", "{}/h.toml"),
            ),
            "--restart-on-exit 'x': allowed are exit codes",
            id="codes",
        ),
        pytest.param(
            ("restart", "user:web", "--memory", "64", "--config", "{}/h.toml"),
            "options of how it runs need --replace",
            id="options of a restart",
        ),
        pytest.param(
            ("image", "user:web", "-o", "/none/x", "--config", "{}/h.toml"),
            "/none/x can't be written",
            id="no directory",
        ),
        pytest.param(
            (
                *("image", "user:web", "-o", "{}/x", "--limit", "0"),
                *("--config", "{}/h.toml"),
            ),
            "the image is larger than 0 bytes (image limit)",
            id="limit",
        ),
        pytest.param(
            ("stats", "--timeout", "0.000001", "--config", "{}/h.toml"),
            "has not answered within 1e-06 s (--timeout)",
            id="too slow",
        ),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_code_1(
    ctl, sandbox, arguments, message
):
    filled = [argument.format(sandbox) for argument in arguments]

    code, out, err = ctl(*filled, host=())

    assert (code, out) == (1, "" if "stats" not in arguments else out)
    assert message in err
    assert err.startswith("albatrossctl: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("command", "changes"),
    [
        (("check",), False),
        (("info",), False),
        (("console", "user:web"), False),
        (("destroy", "user:none"), True),
        (("block", "add", "user:none", "1"), True),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_only_what_changes_something_may_have_taken_effect(ctl, command, changes):
    code, _, err = ctl(*command, "--timeout", "0.000001")

    assert (code, "may have taken effect" in err) == (1, changes)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param((), "arguments are required: COMMAND", id="nothing"),
        pytest.param(("info", "a b"), "'a b' is not a name", id="name"),
        pytest.param(
            ("console", "user:web", "--lines", "-1"),
            "'-1' is no whole number of 0 or more",
            id="negative",
        ),
        pytest.param(
            ("create", "a", "b", "--compress", "10"), "10 is more than 9", id="level"
        ),
        pytest.param(
            ("info", "--timeout", "nan"), "'nan' is no number of seconds", id="timeout"
        ),
        pytest.param(
            ("info", "--timeout", "1s"), "'1s' is no number of seconds", id="a unit"
        ),
        pytest.param(
            ("block", "add", "a", "x"), "'x' is no whole number of 0", id="size"
        ),
        pytest.param(
            ("block", "add", "a", str(1 << 62)), "is more than", id="beyond the wire"
        ),
    ],
)
def test_a_command_line_that_means_nothing_is_code_2(ctl, arguments, said):
    code, out, err = ctl(*arguments, host=())

    assert (code, out) == (2, "")
    assert err.startswith("usage: albatrossctl")
    assert said in err


def test_one_of_several_hosts_has_to_be_chosen(ctl, sandbox, tmp_path):
    one = (sandbox / "h.toml").read_text()
    both = tmp_path / "both.toml"
    both.write_text(one + one.replace('name = "sandbox"', 'name = "other"'))

    code, _, err = ctl("info", host=("--config", str(both)))
    chosen, _, _ = ctl("info", host=("--config", str(both), "--host", "other"))

    assert (code, chosen) == (1, 0)
    assert "has the hosts sandbox, other: choose one by --host" in err


def test_version_and_help_are_told(ctl):
    code, version, _ = ctl("--version", host=())
    help_code, text, _ = ctl("--help", host=())

    assert (code, help_code) == (0, 0)
    assert version.startswith("albatrossctl ")
    assert "exit codes:" in text


def test_help_loads_nothing_heavy():
    probe = (
        "import sys\nfrom albatross_client.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "print([each for each in ('trio', 'cryptography', 'attrs', 'asn1crypto')"
        " if each in sys.modules])"
    )

    done = subprocess.run(  # noqa: S603 - ours
        [sys.executable, "-c", probe], capture_output=True, text=True, check=True
    )

    assert done.stdout.splitlines()[-1] == "[]"
