import io
import os
import shlex
import sys
from pathlib import Path

import pytest
import trio

from autoscaler.cli import main
from autoscaler.cli.main import COMMANDS
from tests.cli.files import configuration, keys


def lines_of_help(capsys, *words):
    with pytest.raises(SystemExit) as ended:
        main([*words, "--help"])
    assert ended.value.code == 0
    return capsys.readouterr().out.splitlines()


def test_help_names_every_subcommand_and_exit_code(capsys):
    text = "\n".join(lines_of_help(capsys))

    for name, purpose in COMMANDS.items():
        assert f"{name} " in text
        assert purpose in text
    assert "exit codes:" in text


@pytest.mark.parametrize("name", COMMANDS)
def test_each_subcommand_explains_itself(name, capsys):
    [usage, *rest] = lines_of_help(capsys, name)

    assert usage.startswith(f"usage: autoscaler {name}")
    assert any(line and line[0].isupper() for line in rest)


def test_the_version_is_told(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--version"])

    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("autoscaler 0.")


@pytest.mark.parametrize(
    "words",
    [
        pytest.param([], id="no subcommand"),
        pytest.param(["fly"], id="an unknown one"),
        pytest.param(["check"], id="no configuration"),
        pytest.param(["check", "--config", "x", "--colour"], id="an unknown option"),
    ],
)
def test_what_can_not_be_understood_is_exit_code_2(words, capsys):
    with pytest.raises(SystemExit) as ended:
        main(words)

    assert ended.value.code == 2
    assert "usage: autoscaler" in capsys.readouterr().err


async def test_help_loads_nothing_heavy():
    program = (
        "import sys; from autoscaler.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print(sorted({'trio', 'cryptography', 'rich', 'cattrs', 'structlog'} "
        "& set(sys.modules)))"
    )

    done = await trio.run_process([sys.executable, "-c", program], capture_stdout=True)

    assert done.stdout.splitlines()[-1] == b"[]"


def test_the_process_own_words_are_taken(monkeypatch, tmp_path, capsys):
    file = configuration(tmp_path)
    monkeypatch.setattr(sys, "argv", ["autoscaler", "check", "--config", str(file)])

    assert main() == 0
    assert "can be used" in capsys.readouterr().out


async def test_a_reader_that_has_read_enough_is_no_failure(tmp_path):
    file = configuration(tmp_path)
    keys(tmp_path)
    program = (
        "import sys; from autoscaler.cli import main; "
        f"sys.exit(main(['check', '--config', {str(file)!r}]))"
    )
    read_end, write_end = os.pipe()
    os.close(read_end)

    done = await trio.run_process(
        [sys.executable, "-c", program], stdout=write_end, capture_stderr=True
    )

    os.close(write_end)
    assert (done.returncode, done.stderr) == (0, b"")


async def run_with(tmp_path, redirection):
    """Run a check in a shell, its output as *redirection* says."""
    file = configuration(tmp_path)
    keys(tmp_path)
    program = (
        "import sys; from autoscaler.cli import main; "
        f"sys.exit(main(['check', '--config', {str(file)!r}]))"
    )
    words = shlex.join([sys.executable, "-c", program])
    return await trio.run_process(
        ["sh", "-c", f"{words} {redirection}"], capture_stderr=True, check=False
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
async def test_output_that_can_not_be_written_is_told_in_one_sentence(tmp_path):
    done = await run_with(tmp_path, "> /dev/full")

    said = b"standard output can't be written: No space left on device\n"
    assert (done.returncode, done.stderr) == (1, said)


@pytest.mark.parametrize("closed", [">&-", "<&- >&-", "<&- >&- 2>&-"])
async def test_files_that_are_closed_are_no_failure(tmp_path, closed):
    done = await run_with(tmp_path, closed)

    assert (done.returncode, done.stderr) == (0, b"")


def test_an_interrupt_is_exit_code_130(monkeypatch, tmp_path):
    def interrupted(_arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("autoscaler.cli.check.run", interrupted)

    assert main(["check", "--config", str(tmp_path)]) == 130


def test_output_that_is_no_terminal_and_no_file_will_do(monkeypatch, tmp_path):
    output = io.StringIO()
    monkeypatch.setattr(sys, "stdout", output)

    assert main(["check", "--config", str(configuration(tmp_path))]) == 0
    assert "can be used" in output.getvalue()
