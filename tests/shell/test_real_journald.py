"""A real journal: systemd's own daemon, in a namespace of its own."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

JOURNALD = Path("/lib/systemd/systemd-journald")
NEEDED = ("unshare", "mount", "journalctl")
# Everything below /run is its own, so that the machine's journal isn't touched.
SCRIPT = """
set -e
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/journal /run/log/journal /run/lock
{journald} > /dev/null 2>&1 & journal=$!
trap 'kill $journal; wait $journal || true' EXIT
for _ in $(seq 100); do [ -S /run/systemd/journal/socket ] && break; sleep 0.1; done
{python} -c '{program}'
for _ in $(seq 50); do
  journalctl -D /run/log/journal -t autoscaler -o json > {out} && [ -s {out} ] && break
  sleep 0.1
done
"""
PROGRAM = """
from autoscaler.shell.log import configure
log = configure("journal", "debug")
log.now = lambda: 0.0
log.event("primary_lost", group="west/user:web", name="user:web")
log.debug("wake_asked", group="west/user:web", held=3)
"""


@pytest.mark.slow
def test_a_real_journal_takes_fields_and_priorities(tmp_path):
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing or not JOURNALD.exists() or os.geteuid() != 0:
        pytest.skip(f"needs root, {JOURNALD} and {', '.join(NEEDED)}")
    out = tmp_path / "entries"
    script = SCRIPT.format(
        journald=JOURNALD, python=sys.executable, program=PROGRAM, out=out
    )

    subprocess.run(["unshare", "--mount", "sh", "-c", script], check=True, timeout=60)  # noqa: S603, S607 - ours

    lost, asked = (json.loads(line) for line in out.read_text().splitlines())
    assert lost["MESSAGE"] == "event=primary_lost group=west/user:web name=user:web"
    assert lost["PRIORITY"] == "3"
    assert lost["AUTOSCALER_EVENT"] == "primary_lost"
    assert lost["_TRANSPORT"] == "journal"
    assert (asked["PRIORITY"], asked["AUTOSCALER_HELD"]) == ("7", "3")
