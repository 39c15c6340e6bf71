"""`autoscaler init`, against a sandbox behind TLS."""

import errno
import json
import os
import stat
import sys
import tomllib
from pathlib import Path

import pytest
from attrs import evolve
from jsonschema import Draft202012Validator

from albatross_client.names import Name
from albatross_client.sandbox.embed import SANDBOX_IMAGE
from albatross_client.sandbox.live import Settings
from albatross_client.values import Config
from autoscaler.shell.configuration.settings import load_settings
from tests.cli.setting_up.asked import command, init, whole
from tests.cli.setting_up.typist import Typist
from tests.sandbox_fixtures import (
    USER,
    USER_POLICY,
    WEB,
    start_tls_sandbox,
)

# A port at which nobody listens.
NOBODY = "127.0.0.1:9"


def fits(schema, text):
    Draft202012Validator(json.loads(schema.read_text())).validate(tomllib.loads(text))


def out_of_room(_descriptor):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


async def test_what_is_written_is_right_and_nothing_is_left_to_say(
    sandbox, here, capsys
):
    assert await init(*whole(sandbox, "--name=west")) == 0
    capsys.readouterr()

    code = await command("check", "--connect", "--config=autoscaler.toml")

    out, err = capsys.readouterr()
    assert (code, err) == (0, "")
    assert "west/user:web runs 3 0 3" in " ".join(out.split())
    assert stat.S_IMODE((here / "autoscaler.toml").stat().st_mode) == 0o600


async def test_it_tells_what_the_certificate_may_do_what_runs_and_how_many_fit(
    sandbox, capsys
):
    await init(*whole(sandbox))

    out, err = capsys.readouterr()
    words = " ".join(out.split())
    assert f"host {sandbox.address} user: CN=user 20" in words
    assert "host user: 10 512 0 1 2 3 service" in words
    assert "1 user:web 32 0 3 no cpuids for a clone in the policy of user" in words
    assert "max_clones is set to 3, as many as fit.\nFor one more: no cpuids" in out
    assert out.count("check --config autoscaler.toml --connect") == 1
    assert err == ""


async def test_whatever_a_host_says_is_printable(nursery, here, capsys):
    bridges = frozenset({"service\x1b[2J"})
    policies = {USER: evolve(USER_POLICY, bridges=bridges)}
    settings = Settings(interval=0.05, policies=policies)
    sandbox = await start_tls_sandbox(nursery, here / "keys", settings)
    sandbox.host.create(WEB, Config(image=SANDBOX_IMAGE))

    assert await init(*whole(sandbox)) == 0

    out, _ = capsys.readouterr()
    assert "service\\x1b[2J" in out
    assert "\x1b" not in out


async def test_paths_are_relative_to_the_file_and_whole_where_they_lead_elsewhere(
    sandbox, here
):
    (here / "etc").mkdir()
    await init(*whole(sandbox, "--output=keys/beside.toml"))
    await init(*whole(sandbox, "--output=etc/elsewhere.toml"))

    beside = tomllib.loads((here / "keys" / "beside.toml").read_text())
    elsewhere = tomllib.loads((here / "etc" / "elsewhere.toml").read_text())
    keys = ("server_ca", "ca", "ca_key")
    said = ["ca.pem", "user.pem", "user.key"]
    assert [beside["hosts"][0][key] for key in keys] == said
    assert [elsewhere["hosts"][0][key] for key in keys] == [
        str(here / "keys" / name) for name in said
    ]


async def test_editors_find_the_schema_of_what_is_written(sandbox, here):
    await init(*whole(sandbox))
    first, _, rest = (here / "autoscaler.toml").read_text().partition("\n")

    word, url = first.split()
    assert word == "#:schema"
    fits(Path(url.removeprefix("file://")), rest)


async def test_whoever_has_said_all_is_not_told_of_questions(sandbox, types, capsys):
    types()

    words = (
        "--host",
        sandbox.address,
        "--ca",
        "keys/user.pem",
        "--primary",
        "user:web",
    )
    code = await init(*words)

    assert code == 0
    assert "questions" not in capsys.readouterr().out


async def test_four_answers_do_and_no_answer_takes_what_is_offered(
    sandbox, types, here, capsys
):
    types(sandbox.address, "keys/user.pem", "", "")

    assert await init() == 0

    out, err = capsys.readouterr()
    assert "Domain, such as user or org:team [user:]: " in out
    assert "(# or name) [1]: " in out
    [group] = load_settings(here / "autoscaler.toml").groups
    assert (group.id.name, group.policy.max_clones) == (WEB, 3)
    assert err == ""


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        pytest.param(0, "an answer is needed here", id="no host"),
        pytest.param(1, "a b is no address: HOST, HOST:PORT", id="host"),
        pytest.param(2, "none.pem is not there: name a file", id="ca"),
        pytest.param(3, "keys is a directory: name a file", id="a directory"),
        pytest.param(4, "user.key doesn't hold certificates", id="a key as ca"),
        pytest.param(5, "org: lies outside user:, the domain that", id="domain"),
        pytest.param(6, "user:api does not run there", id="primary"),
        pytest.param(7, "a/b' is not a name", id="no name"),
    ],
)
async def test_a_bad_answer_is_asked_for_again_with_one_sentence(
    sandbox, types, capsys, bad, said
):
    lines = [sandbox.address, "keys/user.pem", "", ""]
    mistakes = [
        (0, ""),
        (0, "a b"),
        (1, "none.pem"),
        (1, "keys"),
        (1, "keys/user.key"),
        (2, "org"),
        (3, "api"),
        (3, "a/b"),
    ]
    place, mistake = mistakes[bad]
    types(*lines[:place], mistake, *lines[place:])

    assert await init() == 0

    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert said in err


async def test_a_host_that_does_not_answer_is_asked_for_again_with_what_was_said(
    sandbox, types, capsys
):
    types(NOBODY, "keys/user.pem", sandbox.address, "", "", "", "")

    assert await init() == 0

    out, err = capsys.readouterr()
    assert f"[{NOBODY}]: " in out
    assert "[keys/user.pem]: " in out
    assert err == (
        f"{NOBODY} can't be reached (Connection refused): is the host up, and the "
        "address and port right?\n"
    )


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        pytest.param((), "--host --ca --primary", id="all"),
        pytest.param(("--ca=keys/user.pem", "--host=x"), "--primary", id="one"),
    ],
)
async def test_at_no_terminal_one_sentence_says_which_options_are_missing(
    here, capsys, given, missing
):
    assert await init(*given) == 1

    out, err = capsys.readouterr()
    said = f"standard input is no terminal, so say also: {missing}\n"
    assert (out, err) == ("", said)


@pytest.mark.parametrize(
    ("option", "said"),
    [
        pytest.param("--host=a b", "--host: a b is no address", id="host"),
        pytest.param("--ca=none.pem", "--ca: none.pem is not there", id="ca"),
        pytest.param("--ca-key=keys/ca.key", "--ca-key: ", id="another key"),
        pytest.param("--server-ca=keys/user.pem", "--server-ca: ", id="a bundle"),
        pytest.param("--domain=org", "--domain: org: lies outside", id="domain"),
        pytest.param("--domain=user:x", "--domain: nothing runs in", id="empty"),
        pytest.param("--primary=api", "--primary: user:api does not", id="absent"),
        pytest.param("--primary=org:api", "--primary: org:api lies", id="outside"),
        pytest.param("--max-clones=0", "--max-clones: a group without", id="none"),
        pytest.param("--max-clones=x", "--max-clones: x is no number", id="a word"),
        pytest.param("--name=a b", "--name: a b can't be a host's name", id="name"),
        pytest.param("--state-dir=", "state_dir", id="state"),
        pytest.param(f"--host={NOBODY}", "can't be reached", id="nobody there"),
    ],
)
async def test_an_option_that_can_not_be_used_is_one_sentence_and_no_file(
    sandbox, here, capsys, option, said
):
    code = await init(*whole(sandbox, option))

    err = capsys.readouterr().err
    assert code == 1
    assert err.count("\n") == 1
    assert said in err
    assert not (here / "autoscaler.toml").exists()


async def test_a_file_that_is_there_is_not_touched_and_nothing_is_asked(here, capsys):
    file = here / "autoscaler.toml"
    file.write_text("mine")

    assert await init() == 1

    assert file.read_text() == "mine"
    assert "is there already, and was not touched" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("output", "said"),
    [
        pytest.param("none/a.toml", "none is no directory: make it", id="nowhere"),
        pytest.param("etc", "etc is a directory: --output is a file in it", id="there"),
    ],
)
async def test_a_place_that_can_not_be_written_is_told_before_anything_is_asked(
    here, capsys, output, said
):
    (here / "etc").mkdir()

    assert await init(f"--output={output}") == 1

    assert said in capsys.readouterr().err


async def test_a_disk_without_room_is_told_and_nothing_is_left_there(
    sandbox, here, capsys, monkeypatch
):
    monkeypatch.setattr(os, "fsync", out_of_room)

    assert await init(*whole(sandbox)) == 1

    said = "autoscaler.toml can't be written: No space left on device\n"
    assert capsys.readouterr().err == said
    assert [each.name for each in here.iterdir()] == ["keys"]


async def test_a_key_that_was_found_and_can_not_be_used_is_asked_for(
    sandbox, types, here, capsys
):
    good = here / "mine.key"
    (here / "keys" / "user.key").rename(good)
    (here / "keys" / "ca.key").rename(here / "keys" / "user.key")
    types(sandbox.address, "keys/user.pem", "mine.key", "", "")

    assert await init() == 0

    out, err = capsys.readouterr()
    assert "[keys/user.key]: " in out
    assert err.startswith("keys/user.key is not the key of CN=user")
    [host] = load_settings(here / "autoscaler.toml").hosts
    assert host.access.ca_key == good


async def test_with_the_roots_ca_the_domain_is_asked_for(sandbox, types, here, capsys):
    sandbox.host.create(Name((), "top"), Config(image=SANDBOX_IMAGE))
    types(sandbox.address, "keys/ca.pem", "", "user", "web")

    assert await init() == 0

    out, err = capsys.readouterr()
    assert "Domains on the host: :, user:" in out
    assert "an answer is needed here" in err
    assert load_settings(here / "autoscaler.toml").groups[0].id.name == WEB


async def test_with_force_it_is_replaced_and_who_could_read_it_still_can(sandbox, here):
    file = here / "autoscaler.toml"
    file.write_text("mine")
    file.chmod(0o644)

    assert await init(*whole(sandbox, "--force")) == 0

    assert load_settings(file).groups
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert [each.name for each in here.iterdir() if each.name.startswith(".")] == []


async def test_what_is_written_in_the_meantime_is_not_overwritten(
    sandbox, types, here, capsys
):
    file = here / "autoscaler.toml"

    class Slow(Typist):
        def readline(self, *_):
            file.write_text("somebody else's")
            return super().readline()

    sys.stdin = Slow(sandbox.address, "keys/user.pem", "", "")

    assert await init() == 1
    assert file.read_text() == "somebody else's"
    assert "is there already" in capsys.readouterr().err


async def test_without_connecting_it_says_that_nothing_was_tried(sandbox, here, capsys):
    given = (f"--host={NOBODY}", "--ca=keys/user.pem", "--primary=web")

    bad = await init(*given, "--no-connect", "--primary=org:web")
    code = await init(*given, "--no-connect")

    out = capsys.readouterr().out
    assert (bad, code) == (1, 0)
    assert "is written; the host was not asked whether it is right" in out
    text = (here / "autoscaler.toml").read_text()
    assert "a guess: the host was not asked" in text
    assert load_settings(here / "autoscaler.toml").groups[0].id.name == WEB
