"""Completion, by the shells themselves: somebody types, and presses Tab."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from autoscaler.cli import main
from autoscaler.cli.completion import PROGRAMS, SHELLS, group_names
from tests.cli.files import GROUP, MANAGED, configuration
from tests.pseudo_terminal import open_terminal

BIN = Path(sys.executable).parent
TAB = "\t"
# Control U: what was typed is gone.
FORGET = "\x15"
BEGIN = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
    "fish": ["fish", "--no-config", "--interactive"],
}
LOAD = {
    "bash": 'eval "$(autoscaler completion bash)"',
    "zsh": 'autoload -U compinit; compinit -u -D; eval "$(autoscaler completion zsh)"',
    "fish": "autoscaler completion fish | source",
}


@pytest.fixture(params=SHELLS)
def shell(request):
    if shutil.which(request.param) is None:
        pytest.skip(
            f"{request.param} is not installed: apt-get install {request.param}"
        )
    return request.param


@pytest.fixture
async def prompt(nursery, tmp_path, shell):
    """A shell that completes, in a directory with a configuration."""
    file = configuration(tmp_path, groups=GROUP + MANAGED)
    assert file.name == "autoscaler.toml"
    terminal = await open_terminal(
        nursery,
        ["env", "-C", str(tmp_path), *BEGIN[shell]],
        (120, 40),
        {
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(tmp_path),
            "PS1": "$ ",
        },
    )
    await terminal.type(f"{LOAD[shell]}; echo load''ed\r")
    await terminal.wait_for("loaded")
    return terminal


# What is typed before Tab, and what stands there then.
COMPLETED = [
    # A subcommand, an option, what may be chosen, a file.
    ("autoscaler expl", "autoscaler explain"),
    ("autoscaler status --js", "status --json"),
    ("autoscaler run --mode obs", "run --mode observe"),
    ("autoscaler status --config auto", "--config autoscaler.toml"),
    # A group, whose name has a colon.
    ("autoscaler pause --config autoscaler.toml user:w", "autoscaler.toml user:web"),
    # The other command, one within another, an option after such a name.
    ("albatrossctl pol", "albatrossctl policy"),
    ("albatrossctl block du", "albatrossctl block dump"),
    ("albatrossctl info user:web --tim", "info user:web --timeout"),
]


@pytest.mark.slow
async def test_what_is_begun_is_completed(prompt):
    for typed, completed in COMPLETED:
        await prompt.type(f"{typed}{TAB}")
        await prompt.wait_for(completed)
        await prompt.type(f"{FORGET}\r")

    await prompt.type(f"autoscaler pause --config autoscaler.toml user:{TAB}{TAB}")
    await prompt.wait_for("web", "shop")


def test_the_names_of_groups_are_printed_for_those_scripts(tmp_path, capsys):
    file = configuration(tmp_path, groups=GROUP + MANAGED)

    assert main(["completion", "groups", "--config", str(file)]) == 0

    assert capsys.readouterr().out.split() == ["user:web", "user:shop"]


def test_groups_of_the_same_name_are_told_apart_by_their_host():
    named = [{"host": h, "primary": "user:web"} for h in ("west", "east")]

    assert group_names({"groups": [*named, {"host": "west", "name": "user:api"}]}) == (
        "west/user:web",
        "east/user:web",
        "user:api",
    )


@pytest.mark.parametrize(
    "tables",
    [
        {},
        {"groups": 3},
        {"groups": [7, {}, {"primary": 7}, {"primary": ""}], "hosts": "west"},
    ],
)
def test_what_is_wrong_in_a_configuration_is_not_completed(tables):
    assert group_names(tables) == ()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["groups"], 2, "completion groups: say which, by --config FILE\n"),
        (
            ["bash", "--config", "x"],
            2,
            "completion bash: --config is for groups alone\n",
        ),
    ],
)
def test_what_makes_no_sense_together_is_told(words, code, said, capsys):
    assert main(["completion", *words]) == code

    assert capsys.readouterr() == ("", said)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(None, "can't be read: No such file or directory", id="missing"),
        pytest.param("groups = [", "is not TOML: ", id="no TOML"),
    ],
)
def test_a_configuration_that_can_not_be_read_is_told(tmp_path, capsys, content, said):
    file = tmp_path / "autoscaler.toml"
    if content is not None:
        file.write_text(content)

    assert main(["completion", "groups", "--config", str(file)]) == 1

    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith(f"{file}: {said}")


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_script_may_be_for_one_command_alone(shell, program, capsys):
    assert main(["completion", shell, "--program", program]) == 0

    out = capsys.readouterr().out
    [other] = set(PROGRAMS) - {program}
    assert f"_shtab_{program}" in out
    assert f"_shtab_{other}" not in out
