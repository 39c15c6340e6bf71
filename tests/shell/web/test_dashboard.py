"""The dashboard under config/: of metrics that there are, and all of them."""

import json
import re
import shutil
import subprocess
from itertools import combinations
from pathlib import Path

import pytest

from autoscaler.shell.web.metrics import METRICS

FILE = Path(__file__).parents[3] / "config" / "grafana-dashboard.json"
LABELS = {"host", "group", "domain", "certificate", "kind", "outcome", "reason"}
# What Prometheus itself adds, or makes of histograms.
ITS_LABELS = {"instance", "job", "le"}
SUFFIXES = {"histogram": ("_bucket", "_sum", "_count")}
# What Grafana puts in the place of its variables.
FILLED_IN = {"$__rate_interval": "5m", "$host": ".*", "$group": "web|api"}


def dashboard():
    return json.loads(FILE.read_text())


def panels():
    return [each for each in dashboard()["panels"] if each["type"] != "row"]


def expressions():
    return [target["expr"] for panel in panels() for target in panel["targets"]]


def known():
    """Return the names of all series, with that of the metric they are of."""
    return {
        f"{metric.family.full_name}{suffix}": metric.family.full_name
        for metric in METRICS
        for suffix in SUFFIXES.get(metric.family.kind, ("",))
    }


def test_every_expression_is_of_series_that_there_are_and_every_metric_is_shown():
    series = known()

    used = {
        name for each in expressions() for name in re.findall(r"autoscaler_\w+", each)
    }

    assert used <= set(series)
    assert {series[name] for name in used} == set(series.values())


def test_variables_are_of_series_that_there_are():
    variables = dashboard()["templating"]["list"]

    assert [each["name"] for each in variables] == ["datasource", "host", "group"]
    for each in variables[1:]:
        [name] = re.findall(r"autoscaler_\w+", each["definition"])
        assert name in known()


def test_only_labels_that_there_are_are_asked_for():
    text = " ".join(expressions())
    asked = set(re.findall(r"(\w+)\s*=~?\s*\"", text))
    for group in re.findall(r"\bby \(([^)]*)\)", text):
        asked |= {label.strip() for label in group.split(",")}
    for panel in panels():
        for target in panel["targets"]:
            asked |= set(re.findall(r"{{(\w+)}}", target["legendFormat"]))

    assert asked <= LABELS | ITS_LABELS


def test_every_panel_asks_the_source_that_is_chosen_and_says_what_it_shows():
    for panel in panels():
        assert panel["title"]
        assert panel["description"].endswith(".")
        sources = [panel["datasource"], *(t["datasource"] for t in panel["targets"])]
        assert {source["uid"] for source in sources} == {"${datasource}"}


def test_panels_have_numbers_of_their_own_and_cover_nobody():
    every = dashboard()["panels"]

    assert len({panel["id"] for panel in every}) == len(every)
    for one, other in combinations((panel["gridPos"] for panel in every), 2):
        beside = (
            one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        )
        above = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or above


@pytest.mark.slow
def test_promtool_understands_every_expression(tmp_path):
    tool = shutil.which("promtool")
    if tool is None:
        pytest.skip("PROMTOOL IS NOT HERE: apt-get install prometheus")
    rules = []
    for number, each in enumerate(expressions()):
        for variable, value in FILLED_IN.items():
            each = each.replace(variable, value)  # noqa: PLW2901 - one after another
        assert "$" not in each
        rules.append({"record": f"expression:{number}", "expr": each})
    file = tmp_path / "rules.yml"
    # JSON is YAML.
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))

    done = subprocess.run(  # noqa: S603 - ours
        [tool, "check", "rules", str(file)], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(rules)} rules found" in done.stdout
