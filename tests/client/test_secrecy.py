"""What nobody else can read of a process that holds keys."""

import inspect
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from albatross_client import secrecy

TELL = """
import ctypes, resource
print(ctypes.CDLL(None).prctl(3), resource.getrlimit(resource.RLIMIT_CORE))
"""
# From root nothing is hidden: it becomes somebody else, who may be looked at.
ORDINARY_USER = """
import os
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
    ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)
"""
LOOK = "print(len(open(f'/proc/{sys.argv[1]}/maps').read()))"
WAIT = "print('ready', flush=True)\ninput()"


def python(*statements):
    """Return the command of a process of an ordinary user."""
    source = inspect.getsource(secrecy)
    return [sys.executable, "-c", "\n".join([source, ORDINARY_USER, *statements])]


@contextmanager
def process(*statements):
    """A process that has executed *statements* and waits until it is left."""
    with subprocess.Popen(  # noqa: S603 - all of it is ours
        python(*statements, WAIT), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as started:
        assert started.stdout is not None
        assert started.stdout.readline() == b"ready\n"
        yield started
        started.kill()


def look_at(started):
    """Return how another process of that user gets on with reading it."""
    return subprocess.run(  # noqa: S603 - all of it is ours
        [*python(LOOK), str(started.pid)], capture_output=True, text=True, check=False
    )


def test_no_other_process_of_the_user_can_look_into_it():
    with process("keep_memory_private()") as kept, process() as open_to_all:
        hidden, seen = look_at(kept), look_at(open_to_all)

    assert seen.returncode == 0, seen.stderr
    assert hidden.returncode == 1
    assert "PermissionError" in hidden.stderr


def test_it_still_reaches_its_own_files_in_memory():
    own = """
keep_memory_private()
descriptor = os.memfd_create("test")
os.write(descriptor, b"key")
assert open(f"/proc/self/fd/{descriptor}", "rb").read() == b"key"
"""

    with process(own) as kept:
        assert kept.poll() is None


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(
            "from autoscaler.cli import main; main(['run', '--config', '{file}'])",
            id="autoscaler run",
        ),
        pytest.param(
            "from autoscaler.cli import main; main(['check', '--config', '{file}'])",
            id="autoscaler check",
        ),
        pytest.param(
            "from albatross_client.cli import main;"
            "main(['info', '--config', '{file}', '--timeout', '1'])",
            id="albatrossctl",
        ),
    ],
)
def test_commands_with_keys_leave_no_core_dump(tmp_path, words):
    file = tmp_path / "autoscaler.toml"
    file.write_text(
        '[deployment]\nname = "test"\nstate_dir = "state"\n'
        '[[hosts]]\nname = "a"\naddress = "127.0.0.1:1"\n'
        'server_ca = "none.pem"\nca = "none.pem"\nca_key = "none.key"\n'
    )

    done = subprocess.run(  # noqa: S603 - all of it is ours
        [sys.executable, "-c", f"{words.format(file=file)}\n{TELL}"],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )

    assert done.stdout.splitlines()[-1] == "0 (0, 0)"
