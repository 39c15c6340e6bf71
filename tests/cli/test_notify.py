"""`autoscaler notify`, and what `check` says of who is told."""

import json
import stat

import pytest

from autoscaler.cli.main import main

HEAD = '[deployment]\nname = "west"\nstate_dir = "state"\n'
PAGE = '[[notify]]\nname = "page"\nevents = ["level:error"]\non_event = "page"\n'
CHAT = (
    '[[notify]]\nname = "chat"\nevents = ["primary_lost"]\n'
    'webhook = "http://127.0.0.1:9/T00/hush"\nsecret_file = "key"\n'
)


@pytest.fixture
def config(tmp_path):
    def write(*tables):
        path = tmp_path / "autoscaler.toml"
        path.write_text(HEAD + "".join(tables))
        return path

    script = tmp_path / "page"
    script.write_text('#!/bin/sh\ncat > "$0.got"\n')
    script.chmod(0o755)
    key = tmp_path / "key"
    key.write_text("0123456789abcdef" * 4)
    key.chmod(0o600)
    return write


def checked(path, capsys):
    """Return the errors and hints about who is told."""
    code = main(["check", "--config", str(path), "--json"])
    report = json.loads(capsys.readouterr().out)
    told = [each for each in report["findings"] if "[[notify]]" in each["place"]]
    return code, [(each["severity"], each["key"], each["message"]) for each in told]


def test_each_receiver_is_told_of_a_test_and_what_came_back_is_shown(
    config, tmp_path, capsys
):
    code = main(["notify", "--config", str(config(PAGE, CHAT))])

    said = " ".join(capsys.readouterr().out.split())
    assert code == 1
    assert "page executable told 0." in said
    assert "chat http://127.0.0.1:9 http://127.0.0.1:9: " in said
    assert "hush" not in said
    body = json.loads((tmp_path / "page.got").read_text())
    assert body["event"] == "notification_tested"
    assert body["deployment"] == "west"


def test_one_can_be_told_alone(config, tmp_path, capsys):
    code = main(["notify", "page", "--json", "--config", str(config(PAGE, CHAT))])

    [told] = json.loads(capsys.readouterr().out)
    assert code == 0
    assert (told["receiver"], told["told"], told["error"]) == ("page", True, None)


@pytest.mark.parametrize(
    ("tables", "words", "says"),
    [
        pytest.param((), (), "there are no [[notify]] tables: nobody", id="none"),
        pytest.param((), ("a",), "there are no [[notify]] tables", id="not even it"),
        pytest.param(
            (PAGE,),
            ("pgae",),
            "'pgae': nobody is called so; known are: page",
            id="who",
        ),
        pytest.param((PAGE.replace("level:", ""),), (), "unknown event", id="bad"),
    ],
)
def test_where_nobody_can_be_told_one_sentence_says_so(
    config, capsys, tables, words, says
):
    code = main(["notify", *words, "--config", str(config(*tables))])

    said = capsys.readouterr()
    assert code == 1
    assert says in said.err
    assert said.out == ""


def test_a_check_finds_nothing_wrong_with_what_will_do(config, capsys):
    assert checked(config(PAGE, CHAT), capsys) == (0, [])


@pytest.mark.parametrize(
    ("mode", "says"),
    [
        pytest.param(0o644, "may not be run by this user: make it executable", id="x"),
        pytest.param(0o777, "can be changed by others than its owner: chmod", id="w"),
        pytest.param(0o775, "can be changed by others than its owner: chmod", id="g"),
        pytest.param(None, "can't be run: No such file or directory", id="missing"),
        pytest.param(stat.S_IFDIR, "is no regular file", id="a directory"),
    ],
)
def test_a_check_finds_executables_that_will_not_do(
    config, tmp_path, capsys, mode, says
):
    path = config(PAGE)
    script = tmp_path / "page"
    if mode is None or mode == stat.S_IFDIR:
        script.unlink()
    if mode == stat.S_IFDIR:
        script.mkdir()
    elif mode is not None:
        script.chmod(mode)

    code, [(severity, key, message)] = checked(path, capsys)

    assert (code, severity, key) == (1, "error", "on_event")
    assert message.startswith(f"{script} {says}")


def test_a_check_finds_a_secret_that_others_can_read(config, tmp_path, capsys):
    path = config(CHAT)
    (tmp_path / "key").chmod(0o640)

    code, [(severity, key, message)] = checked(path, capsys)

    assert (code, severity, key) == (1, "error", "secret_file")
    assert message.endswith("can be read by others than its owner: chmod 600 it")


def test_a_check_finds_a_ca_that_is_none(config, tmp_path, capsys):
    (tmp_path / "ca.pem").write_text("no certificate")

    code, [found] = checked(config(CHAT, 'ca = "ca.pem"\n'), capsys)

    assert code == 1
    assert found[:2] == ("error", "ca")
    assert "ca.pem is no file of certificates" in found[2]


def test_a_check_hints_at_a_webhook_that_others_can_read(config, capsys):
    code, [found] = checked(config(CHAT.replace("127.0.0.1:9", "x.example")), capsys)

    assert code == 0
    assert found[:2] == ("hint", "webhook")
