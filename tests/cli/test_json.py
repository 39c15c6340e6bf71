"""With --json every command prints JSON, or one sentence on standard error."""

import json

import pytest

from albatross_client.cli.main import main as albatrossctl
from autoscaler.cli.main import main as autoscaler
from tests.cli.commands import ALL, WITHOUT_JSON
from tests.cli.files import configuration

ARGUMENTS = {
    "autoscaler explain": ["user:web"],
    "autoscaler scale": ["user:web", "2"],
    "autoscaler adopt": ["user:web-clone-1"],
    "autoscaler disown": ["user:web-clone-1"],
    "autoscaler prewarm": ["user:web", "1"],
    "autoscaler destroy": ["--stranded"],
    "albatrossctl image": ["user:web", "--output", "web.hvt"],
    "albatrossctl console": ["user:web"],
    "albatrossctl create": ["user:web", "web.hvt"],
    "albatrossctl restart": ["user:web"],
    "albatrossctl destroy": ["user:web"],
    "albatrossctl block add": ["user:data", "10"],
    "albatrossctl block remove": ["user:data"],
    "albatrossctl block set": ["user:data", "data.img"],
    "albatrossctl block dump": ["user:data", "--output", "data.img"],
}
MAINS = {"autoscaler": autoscaler, "albatrossctl": albatrossctl}
# A demo has a configuration of its own, and takes a minute.
ELSEWHERE = {"autoscaler demo"}
NAMES = [name for name, _ in ALL if name not in WITHOUT_JSON | ELSEWHERE]


def run(name, config):
    program, *words = name.split()
    line = [*words, *ARGUMENTS.get(name, []), "--json", "--config", str(config)]
    return MAINS[program](line)


def is_one_sentence(text):
    return text.endswith("\n") and text.count("\n") == 1


def is_json(text):
    try:
        return isinstance(json.loads(text), dict | list)
    except ValueError:
        return False


@pytest.mark.parametrize("name", NAMES)
def test_where_nobody_answers_it_is_json_or_one_sentence(tmp_path, capsys, name):
    code = run(name, configuration(tmp_path))

    out, err = capsys.readouterr()
    assert is_json(out) if out else (code == 1 and is_one_sentence(err))
    assert not (out and err)


@pytest.mark.parametrize("name", NAMES)
def test_without_its_configuration_it_is_json_or_one_sentence(tmp_path, capsys, name):
    code = run(name, tmp_path / "none.toml")

    out, err = capsys.readouterr()
    assert code == 1
    assert is_json(out) if out else is_one_sentence(err)
    assert "none.toml" in out + err


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("autoscaler status", "groups"),
        ("autoscaler check", "findings"),
        ("autoscaler destroy", "clones"),
        ("autoscaler pause", "said"),
    ],
)
def test_a_program_finds_what_it_looks_for(tmp_path, capsys, name, key):
    run(name, configuration(tmp_path))

    assert key in json.loads(capsys.readouterr().out)


def test_a_history_of_nothing_is_an_empty_list(tmp_path, capsys):
    assert run("autoscaler history", configuration(tmp_path)) == 0

    assert json.loads(capsys.readouterr().out) == []
