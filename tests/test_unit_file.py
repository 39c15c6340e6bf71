"""The shipped unit: what it says, and what systemd thinks of it."""

import shutil
import subprocess
from pathlib import Path

import pytest

from autoscaler.cli.traffic_findings import SOCKETS_BESIDE, SOCKETS_EACH
from autoscaler.shell.configuration.keys import MOST
from autoscaler.shell.configuration.settings import load_settings
from autoscaler.shell.operators.notify import FEEDS

CONFIG = Path(__file__).parents[1] / "config"
UNIT = CONFIG / "autoscaler.service"
# systemd-analyze(1) - exposure from 0 to 10, here times ten; 20 and less is
# what we promise.
THRESHOLD = 20


def directives():
    """Return what each directive is set to, in the order of the file."""
    found: dict[str, list[str]] = {}
    for line in UNIT.read_text().splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(key, []).append(value)
    return found


def seconds(text):
    return float(text.removesuffix("s"))


def test_the_daemon_tells_systemd_how_it_is():
    unit = directives()

    assert unit["Type"] == ["notify"]
    assert seconds(unit["WatchdogSec"][0]) >= FEEDS
    assert unit["Restart"] == ["on-failure"]


def test_an_end_takes_no_longer_than_systemd_allows():
    longest = load_settings(CONFIG / "production.toml").deployment.shutdown_timeout

    assert seconds(directives()["TimeoutStopSec"][0]) > longest


def test_a_reload_waits_for_the_answer_of_the_same_configuration():
    unit = directives()
    [start], [reload] = unit["ExecStart"], unit["ExecReload"]

    assert reload == start.replace(" run ", " reload ")


def test_which_boot_this_is_can_be_read_and_keys_can_not_leak():
    unit = directives()

    assert "ProcSubset" not in unit
    assert unit["LimitCORE"] == ["0"]
    assert unit["UMask"] == ["0077"]
    assert unit["StateDirectoryMode"] == ["0700"]


def test_whoever_follows_the_readme_gets_this_file():
    readme = (CONFIG.parent / "README.md").read_text()

    assert "config/autoscaler.service /etc/systemd/system/" in readme


@pytest.mark.slow
def test_systemd_finds_little_that_is_exposed():
    tool = shutil.which("systemd-analyze")
    if tool is None:
        pytest.skip("NOT CHECKED: systemd-analyze is missing (apt-get install systemd)")

    found = subprocess.run(  # noqa: S603 - our own file
        [tool, "security", "--offline=true", f"--threshold={THRESHOLD}", UNIT],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    print(found.stdout.splitlines()[-1])  # noqa: T201 - the figure
    assert found.returncode == 0, found.stdout + found.stderr


def test_there_are_descriptors_for_a_large_activator():
    [limit] = directives()["LimitNOFILE"]

    assert int(limit) >= SOCKETS_EACH * MOST + SOCKETS_BESIDE
