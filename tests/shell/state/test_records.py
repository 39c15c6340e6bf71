import json

import pytest
from hypothesis import given

from autoscaler.core.decision import Decision
from autoscaler.core.snapshot import Snapshot
from autoscaler.shell.state.records import action_to_json, from_json, to_json
from tests.shell.kept import creation, snapshot
from tests.shell.values import actions, decisions, snapshots


@given(snapshots)
def test_a_snapshot_reads_back_as_it_was(kept):
    text = to_json(kept)

    assert from_json(text, Snapshot) == kept
    assert "\n" not in text


@given(decisions)
def test_a_decision_reads_back_as_it_was(decided):
    assert from_json(to_json(decided), Decision) == decided


@given(actions)
def test_an_action_says_its_kind(action):
    fields = json.loads(action_to_json(action))

    assert fields["id"] == action.id
    assert fields["kind"] in {"create_clones", "destroy_clone", "replace_clone"}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("{", id="half"),
        pytest.param("null", id="null"),
        pytest.param("[]", id="a list"),
        pytest.param('"text"', id="a text"),
        pytest.param("{}", id="an empty object"),
        pytest.param("[" * 100_000, id="too deep"),
        pytest.param('{"id": {"host": "west", "primary": "-"}}', id="a bad name"),
    ],
)
def test_what_is_no_snapshot_is_one_kind_of_error(text):
    with pytest.raises(ValueError, match="can't be read as Snapshot"):
        from_json(text, Snapshot)


def test_an_unknown_kind_of_action_is_an_error():
    fields = json.loads(to_json(snapshot(actions=(creation(),))))
    fields["actions"][0]["kind"] = "drain"

    with pytest.raises(ValueError, match="can't be read as Snapshot"):
        from_json(json.dumps(fields), Snapshot)
