"""The shipped rc.d script, as far as it can be tried without FreeBSD.

What is shown: what shellcheck says of it, and what it asks of rc.subr(8),
daemon(8) and su(1), for which there are stand-ins below.  They know what manual
pages say of the variables and options that the script uses, and refuse others;
they are not FreeBSD, and nothing here shows that it starts there.
"""

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
import trio

CONFIG = Path(__file__).parents[1] / "config"
SCRIPT = CONFIG / "autoscaler.rc"
SHELL = shutil.which("sh") or "/bin/sh"
PATIENCE_S = 10

# rc.subr(8): NAME_program takes the place of `command`, NAME_flags come before
# command_args, NAME_user is whom all of it runs as; where a command has a
# function of its own nobody has checked before whether anything runs.
RC_SUBR = """
load_rc_config() { . "$HERE/rc.conf"; }
run_rc_command() {
    eval "command=\\${${name}_program:-\\$command}"
    eval "rc_flags=\\$${name}_flags; _user=\\$${name}_user; _on=\\$$rcvar"
    rc_pid=
    [ -s "$pidfile" ] && kill -0 "$(cat "$pidfile")" 2>/dev/null &&
        rc_pid=$(cat "$pidfile")
    case " start stop $extra_commands " in
    *" $1 "*) ;;
    *) echo "unknown directive $1" >&2; exit 1 ;;
    esac
    [ "$_on" = YES ] || { echo "Set $rcvar to YES"; exit 0; }
    eval "_cmd=\\$$1_cmd _precmd=\\$$1_precmd"
    if [ -n "$_cmd" ]; then $_cmd; exit; fi
    case $1 in
    start)
        [ -r "$required_files" ] || { echo "$required_files?" >&2; exit 1; }
        $_precmd || exit 1
        su -m "$_user" -c "sh -c \\"$command $rc_flags $command_args\\""
        ;;
    stop) kill -TERM "$rc_pid" ;;
    esac
}
"""
# daemon(8) of FreeBSD 13, its options and what it does about signals.
DAEMON = """#!/bin/sh
while getopts cfHSp:P:rR:t:l:s:m:o:u:T: option; do
    case $option in
    p) child=$OPTARG ;;
    P) own=$OPTARG ;;
    [RtT]) echo "$option=$OPTARG" >> "$HERE/daemon" ;;
    *) exit 64 ;;
    esac
done
shift $((OPTIND - 1))
(
    trap 'kill -TERM $(cat "$child"); rm -f "$child" "$own"; exit' TERM
    sh -c 'echo $PPID' > "$own"
    "$@" &
    echo $! > "$child"
    wait
) > /dev/null 2>&1 &
"""
SU = """#!/bin/sh
echo "$1 $2" >> "$HERE/su"
[ "$1 $3" = "-m -c" ] && exec sh -c "$4"
"""
INSTALL = """#!/bin/sh
echo "$*" >> "$HERE/install"
for last; do :; done
mkdir -p "$last"
"""
AUTOSCALER = """#!/bin/sh
echo "$*" >> "$HERE/calls"
case $1 in
check) [ ! -e "$HERE/broken" ] || { echo "error: broken" >&2; exit 1; } ;;
run)
    trap 'echo HUP >> "$HERE/calls"' HUP
    trap 'echo TERM >> "$HERE/calls"; exit' TERM
    while :; do sleep 0.05; done
    ;;
esac
"""


class Machine:
    """A directory that stands for a FreeBSD machine."""

    def __init__(self, directory):
        self.directory = directory
        for name, text in {
            "daemon.sh": DAEMON,
            "bin/su": SU,
            "bin/install": INSTALL,
            "bin/autoscaler": AUTOSCALER,
        }.items():
            file = directory / name
            file.parent.mkdir(exist_ok=True)
            file.write_text(text)
            file.chmod(0o700)
        (directory / "rc.subr").write_text(RC_SUBR)
        (directory / "autoscaler.toml").touch()
        self.script = directory / "script"
        text = SCRIPT.read_text()
        for place, here in {
            "/etc/rc.subr": "rc.subr",
            "/usr/sbin/daemon": "daemon.sh",
            "/var/run/autoscaler": "run",
        }.items():
            assert place in text
            text = text.replace(place, str(directory / here))
        self.script.write_text(text)
        self.configure()

    def configure(self, *more):
        lines = [
            "autoscaler_enable=YES",
            f"autoscaler_config={self.directory / 'autoscaler.toml'}",
            f"autoscaler_executable={self.directory / 'bin' / 'autoscaler'}",
            *more,
        ]
        (self.directory / "rc.conf").write_text("\n".join(lines) + "\n")

    def service(self, verb):
        path = f"{self.directory / 'bin'}:{os.environ['PATH']}"
        return subprocess.run(  # noqa: S603 - ours
            [SHELL, self.script, verb],
            env={"PATH": path, "HERE": str(self.directory)},
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )

    def told(self, name):
        file = self.directory / name
        return file.read_text().splitlines() if file.exists() else []

    async def until(self, name, line):
        with trio.fail_after(PATIENCE_S):
            while line not in self.told(name):
                await trio.sleep(0.02)

    def pid(self, name):
        file = self.directory / "run" / name
        return int(file.read_text()) if file.exists() and file.read_text() else None


@pytest.fixture
def machine(tmp_path):
    machine = Machine(tmp_path)
    yield machine
    for name in ("supervisor.pid", "autoscaler.pid"):
        if (pid := machine.pid(name)) is not None:
            os.kill(pid, signal.SIGKILL)


async def test_it_runs_as_its_user_supervised_and_with_its_options(machine):
    machine.configure("autoscaler_options='--mode observe'")
    config = machine.directory / "autoscaler.toml"

    started = machine.service("start")
    await machine.until("calls", f"run --config {config} --mode observe")

    assert (started.returncode, started.stderr) == (0, "")
    assert set(machine.told("su")) == {"-m autoscaler"}
    assert machine.told("daemon") == ["R=5", "T=autoscaler", "t=autoscaler"]
    assert machine.told("install") == [
        f"-d -o autoscaler -m 0755 {machine.directory / 'run'}"
    ]


async def test_it_is_not_started_with_a_configuration_that_can_not_be_used(machine):
    (machine.directory / "broken").touch()

    done = machine.service("start")

    assert (done.returncode, done.stderr) == (1, "error: broken\n")
    assert machine.told("daemon") == []


async def test_a_reload_is_a_hangup_for_the_daemon_itself(machine):
    machine.service("start")
    await machine.until("calls", f"run --config {machine.directory}/autoscaler.toml")

    done = machine.service("reload")
    await machine.until("calls", "HUP")

    assert done.returncode == 0
    assert machine.told("calls")[-2:] == [
        f"check --config {machine.directory}/autoscaler.toml",
        "HUP",
    ]


async def test_a_bad_configuration_is_told_and_nobody_hears_of_it(machine):
    machine.service("start")
    await machine.until("calls", f"run --config {machine.directory}/autoscaler.toml")
    (machine.directory / "broken").touch()

    done = machine.service("reload")
    tested = machine.service("configtest")

    assert (done.returncode, done.stderr) == (1, "error: broken\n")
    assert (tested.returncode, tested.stderr) == (1, "error: broken\n")
    assert "HUP" not in machine.told("calls")


async def test_what_does_not_run_is_not_reloaded(machine):
    done = machine.service("reload")

    said = "autoscaler is not running: there is nothing to reload\n"
    assert (done.returncode, done.stderr) == (1, said)


async def test_a_stop_reaches_the_daemon(machine):
    machine.service("start")
    await machine.until("calls", f"run --config {machine.directory}/autoscaler.toml")

    machine.service("stop")

    await machine.until("calls", "TERM")


def test_it_is_not_started_unless_that_was_said(machine):
    machine.configure("autoscaler_enable=NO")

    assert machine.service("start").stdout == "Set autoscaler_enable to YES\n"
    assert machine.told("calls") == []


@pytest.mark.slow
def test_shellcheck_has_nothing_to_say():
    tool = shutil.which("shellcheck")
    if tool is None:
        pytest.skip("NOT CHECKED: shellcheck is missing (apt-get install shellcheck)")

    done = subprocess.run(  # noqa: S603 - our own file
        [tool, "--shell=sh", SCRIPT], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout) == (0, "")
