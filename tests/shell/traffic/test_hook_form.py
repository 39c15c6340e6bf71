"""Tests of what hooks are told and tell."""

import json

import pytest
from attrs import asdict
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.core.arrange import Add, Drain, MakeReady, Remove, Rest, Weigh
from autoscaler.core.backend import Backend, Duty, Health, Place, Server
from autoscaler.shell.traffic.hook_form import read_backend, write_step

PLACE = Place("10.0.42.11", 80)
LEAST = {"name": "web-1", "duty": "ready", "health": "passed"}


@pytest.mark.parametrize(
    ("step", "told"),
    [
        pytest.param(None, {"step": "observe"}, id="observe"),
        pytest.param(
            Add("web-1", PLACE),
            {
                "step": "add",
                "name": "web-1",
                "address": "10.0.42.11",
                "port": 80,
                "weight": None,
            },
            id="add",
        ),
        pytest.param(Drain("web-1"), {"step": "drain", "name": "web-1"}, id="drain"),
        pytest.param(
            MakeReady("web-1"), {"step": "ready", "name": "web-1"}, id="ready"
        ),
        pytest.param(
            Weigh("web-1", 40),
            {"step": "weigh", "name": "web-1", "weight": 40},
            id="weigh",
        ),
        pytest.param(Rest("web-1"), {"step": "rest", "name": "web-1"}, id="rest"),
        pytest.param(Remove("web-1"), {"step": "remove", "name": "web-1"}, id="remove"),
    ],
)
def test_a_step_is_one_line_of_json(step, told):
    line = write_step(step, "web")

    assert line.endswith(b"}\n")
    assert json.loads(line) == {"backend": "web", **told}


def test_what_has_a_default_may_be_left_out():
    backend = read_backend(json.dumps({"servers": [LEAST]}).encode(), 7.0)

    assert backend == Backend(
        at=7.0,
        servers={
            "web-1": Server(
                name="web-1",
                address="",
                port=0,
                duty=Duty.READY,
                health=Health.PASSED,
            )
        },
    )


NAMES = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=20)
COUNTS = st.integers(0, 2**40)
AMOUNTS = st.none() | st.floats(0, 1e9)
SERVERS = st.builds(
    Server,
    name=NAMES,
    address=NAMES,
    port=st.integers(0, 65_535),
    duty=st.sampled_from(Duty),
    health=st.sampled_from(Health),
    sessions=COUNTS,
    ended=COUNTS,
    weight=AMOUNTS,
    limit=st.none() | COUNTS,
    is_backup=st.booleans(),
)
BACKENDS = st.builds(
    Backend,
    at=st.just(7.0),
    epoch=NAMES,
    up_s=AMOUNTS,
    servers=st.lists(SERVERS, max_size=3).map(lambda all_: {s.name: s for s in all_}),
    in_flight=COUNTS,
    queued=COUNTS,
    ended=COUNTS,
    queue_ms=AMOUNTS,
)


@given(BACKENDS)
def test_all_that_a_balancer_can_tell_a_hook_can_tell(backend):
    told = asdict(backend, value_serializer=lambda _, __, v: getattr(v, "value", v))
    told["servers"] = [
        {**server, "duty": server["duty"], "health": server["health"]}
        for server in told["servers"].values()
    ]
    del told["at"]

    assert read_backend(json.dumps(told).encode(), 7.0) == backend


def server_with(**changes):
    return {"servers": [{**LEAST, **changes}]}


@pytest.mark.parametrize(
    ("told", "complaint"),
    [
        pytest.param([], "the answer is no JSON object", id="no object"),
        pytest.param({}, "the answer has no servers", id="no servers"),
        pytest.param({"servers": {}}, "servers is no list", id="no list"),
        pytest.param(
            {"servers": [1]}, r"servers\[0\] is no JSON object", id="a number"
        ),
        pytest.param({"servers": [{}]}, r"servers\[0\] has no name", id="no name"),
        pytest.param({"servers": [LEAST, LEAST]}, "the same name", id="a name twice"),
        pytest.param({"servers": [], "extra": 1}, "has 'extra': allowed", id="more"),
        pytest.param(server_with(extra=1), "'extra': allowed", id="more of a server"),
        pytest.param(server_with(name=1), "name: 1 is no text", id="no text"),
        pytest.param(server_with(name="a\n"), "name: .* is no text", id="two lines"),
        pytest.param(server_with(duty="up"), "duty: 'up'", id="no duty"),
        pytest.param(server_with(health=[]), "health: ", id="no health"),
        pytest.param(server_with(port=65_536), "port: 65536 is no port", id="no port"),
        pytest.param(server_with(sessions=-1), "sessions: -1 is no", id="below 0"),
        pytest.param(server_with(sessions=True), "sessions: True", id="a truth"),
        pytest.param(server_with(sessions=1.5), "sessions: 1.5", id="a half"),
        pytest.param(server_with(weight="1"), "weight: '1' is no number", id="words"),
        pytest.param(server_with(weight=True), "weight: True", id="a truth as weight"),
        pytest.param(server_with(weight=float("nan")), "weight: nan", id="no number"),
        pytest.param(server_with(weight=float("inf")), "weight: inf", id="endless"),
        pytest.param(server_with(is_backup=1), "is_backup: 1 is neither", id="1"),
        pytest.param({"servers": [], "queued": None}, "queued: None", id="null"),
    ],
)
def test_what_can_not_be_used_is_told_with_its_field(told, complaint):
    with pytest.raises(ValueError, match=complaint) as caught:
        read_backend(json.dumps(told).encode(), 0.0)

    assert str(caught.value).isprintable()


@pytest.mark.parametrize("answer", [b"", b"ok\n", b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_json_is_told(answer):
    with pytest.raises(ValueError, match="is no JSON"):
        read_backend(answer, 0.0)


@given(st.binary(max_size=60) | st.text().map(str.encode))
def test_any_answer_is_read_or_refused_in_one_line(answer):
    try:
        backend = read_backend(answer, 0.0)
    except ValueError as error:
        complaint = str(error)
    else:
        complaint = ""
        assert isinstance(backend, Backend)

    assert complaint.isprintable()
