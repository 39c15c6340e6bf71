"""The demo as a command, with HAProxy and without."""

import io
import os
import signal
import subprocess
import sys
import tempfile
from argparse import Namespace
from contextlib import contextmanager
from pathlib import Path

import pytest

from albatross_client.sandbox import haproxy
from autoscaler.cli.demo import run
from autoscaler.cli.demos.story import Story
from autoscaler.cli.main import main
from tests.cli.running import AUTOSCALER
from tests.haproxy_fixture import needs_haproxy

# It ends by itself after 90 s.
PATIENCE_S = 100


@pytest.fixture
def place():
    """A directory with a short name: that of a socket has 107 bytes at most."""
    with tempfile.TemporaryDirectory(prefix="t-") as directory:
        yield Path(directory)


@contextmanager
def demo(directory: Path):
    """Run the demo with its temporary files in *directory*."""
    with subprocess.Popen(  # noqa: S603 - ours
        [sys.executable, "-c", AUTOSCALER, "demo", "--traffic", "--plain"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(directory)},
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def running_in(directory: Path) -> list[str]:
    """Return the command lines that *directory* is in, of all processes."""
    lines = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(file.read_text())
        except (FileNotFoundError, ProcessLookupError):
            continue
    return [line for line in lines if str(directory) in line]


def test_without_haproxy_it_is_said_how_to_install_it(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setattr(haproxy, "_ALSO_IN", "/nonexistent")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    code = main(["demo", "--traffic"])

    assert code == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("autoscaler: HAProxy is not installed: ")
    assert "apt-get install haproxy" in err
    assert not list(tmp_path.iterdir())


@needs_haproxy
@pytest.mark.parametrize(
    ("number", "code"),
    [
        pytest.param(signal.SIGTERM, 1, id="ended"),
        pytest.param(signal.SIGINT, 130, id="interrupted"),
    ],
)
def test_a_signal_leaves_nothing_behind(place, number, code):
    with demo(place) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "event=scene_began" in line:
                break
        before = running_in(place)

        process.send_signal(number)
        _, err = process.communicate(timeout=PATIENCE_S)

    assert process.returncode == code
    assert "Traceback" not in err
    assert before
    assert not running_in(place)
    assert not list(place.iterdir())


@needs_haproxy
def test_an_haproxy_that_cannot_start_is_told_in_one_line(place):
    deep = place / ("d" * 100)
    deep.mkdir()

    with demo(deep) as process:
        out, err = process.communicate(timeout=PATIENCE_S)

    assert process.returncode == 1
    assert out == ""
    assert "autoscaler: HAProxy has ended: " in err.splitlines()[-1]
    assert not list(deep.iterdir())


@needs_haproxy
@pytest.mark.slow
def test_a_group_sleeps_wakes_and_follows_its_visitors(place):
    with demo(place) as process:
        out, err = process.communicate(timeout=PATIENCE_S)

    assert process.returncode == 0, out + err
    assert out.splitlines()[-1].endswith("-> 1 by itself, and no request failed.")
    assert err.count("event=scene_began") == 5
    assert "event=visitors_asked" in err


@pytest.mark.parametrize(
    ("environment", "is_live"),
    [
        pytest.param({"TERM": "xterm", "LC_ALL": "C.UTF-8"}, True, id="as usual"),
        pytest.param({"TERM": "dumb", "LC_ALL": "C.UTF-8"}, False, id="dumb"),
        pytest.param({"TERM": "xterm", "LC_ALL": "C"}, False, id="ASCII"),
    ],
)
def test_a_terminal_that_has_no_more_than_lines_gets_lines(
    environment, is_live, monkeypatch, capsys
):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    consoles = []

    def play(console, **_):
        consoles.append(console)
        return Story(wanted=(1, 3, 1))

    monkeypatch.setattr("autoscaler.cli.demo._play", play)

    main(["demo"])

    assert [console is not None for console in consoles] == [is_live]


def test_a_reader_that_has_read_enough_is_told_of_no_failure(monkeypatch, capsys):
    class Closed(io.StringIO):
        def write(self, _):
            raise BrokenPipeError

    monkeypatch.setattr("autoscaler.cli.demo._play", lambda *_, **__: Story((1, 3, 1)))
    monkeypatch.setattr("sys.stdout", Closed())

    # It is for whoever ends the command.
    with pytest.raises(BrokenPipeError):
        run(Namespace(plain=True, json=False, traffic=False))

    assert capsys.readouterr().err == ""
