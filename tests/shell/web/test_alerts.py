"""The alert rules under config/: of metrics that there are, and sound."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from autoscaler.shell.web.metrics import METRICS

RULES = Path(__file__).parents[3] / "config" / "alerts.yml"
TESTS = Path(__file__).parent / "alerts_test.yml"


def test_alerts_are_of_metrics_that_there_are():
    known = {metric.family.full_name for metric in METRICS}

    used = set(re.findall(r"autoscaler_\w+", RULES.read_text()))

    assert used
    assert used <= known


@pytest.mark.slow
def test_each_alert_fires_when_it_should_and_only_then(tmp_path):
    tool = shutil.which("promtool")
    if tool is None:
        pytest.skip("PROMTOOL IS NOT HERE: apt-get install prometheus")
    for file in (RULES, TESTS):
        shutil.copy(file, tmp_path)

    done = subprocess.run(  # noqa: S603 - ours
        [tool, "test", "rules", str(tmp_path / TESTS.name)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
