"""Tests of what HAProxy tells, on an answer of HAProxy 2.6.

In it ``web-1`` works on one request and two wait, ``web-2`` fails, ``web-3``
rests, ``web-4`` has a name for an address, and ``web-5`` was never checked.
"""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.core.backend import Backend, Duty, Health
from autoscaler.core.haproxy import AnswerError, Refusal, Refused
from autoscaler.core.haproxy_answers import Seen, read_backend, read_process

ANSWER = (Path(__file__).parent / "answers" / "haproxy-2.6.txt").read_text()
INFO = ANSWER.partition("\n\n")[0]
REFUSALS = "Can't find backend.\n\nNo such proxy.\n\n"


def read(answer=ANSWER) -> Seen:
    seen = read_backend(answer, 7.0)
    assert isinstance(seen, Seen)
    return seen


def changed(server, column, value):
    """Return the answer with *value* in *column* of ``show stat``."""
    head, _, table = ANSWER.partition("# pxname")
    lines = table.splitlines()
    index = ("pxname" + lines[0]).split(",").index(column)
    for number, line in enumerate(lines):
        fields = line.split(",")
        if number and fields[1:2] == [server]:
            fields[index] = value
            lines[number] = ",".join(fields)
    return f"{head}# pxname" + "\n".join(lines) + "\n"


def test_all_servers_are_told_in_haproxys_order():
    servers = read().backend.servers

    assert list(servers) == ["fixed", "activator", *(f"web-{n}" for n in range(1, 6))]
    assert {name for name, server in servers.items() if server.is_backup} == {
        "activator"
    }
    assert [server.port for server in servers.values()][:4] == [
        18101,
        18190,
        18102,
        18109,
    ]


@pytest.mark.parametrize(
    ("name", "duty", "health"),
    [
        pytest.param("fixed", Duty.MAINT, Health.UNPROVEN, id="passed, now rests"),
        pytest.param("web-1", Duty.READY, Health.PASSED, id="serves"),
        pytest.param("web-2", Duty.DRAIN, Health.FAILED, id="drains and fails"),
        pytest.param("web-3", Duty.MAINT, Health.UNPROVEN, id="just added"),
        pytest.param("web-5", Duty.DRAIN, Health.UNPROVEN, id="never checked"),
    ],
)
def test_only_a_passed_check_makes_a_server_healthy(name, duty, health):
    server = read().backend.servers[name]

    assert (server.duty, server.health) == (duty, health)


@pytest.mark.parametrize(
    ("changes", "health"),
    [
        pytest.param({"check_status": "* L7OK"}, Health.PASSED, id="checked just now"),
        pytest.param({"check_status": "L7OKC"}, Health.PASSED, id="conditionally"),
        pytest.param({"check_status": "L7STS"}, Health.UNPROVEN, id="failed once"),
        pytest.param({"check_health": "1"}, Health.UNPROVEN, id="from maintenance"),
        pytest.param({"status": "DOWN (agent)"}, Health.FAILED, id="by its agent"),
        pytest.param({"check_status": "INI"}, Health.UNPROVEN, id="initialising"),
        pytest.param({"check_status": ""}, Health.UNPROVEN, id="no check"),
    ],
)
def test_what_is_not_proven_is_not_healthy(changes, health):
    ((column, value),) = changes.items()

    seen = read(changed("web-1", column, value))

    assert seen.backend.servers["web-1"].health is health


def test_requests_in_flight_and_those_that_wait_are_counted_apart():
    backend = read().backend

    assert (backend.in_flight, backend.queued, backend.ended) == (1, 2, 2)
    assert backend.servers["web-1"].sessions == 1
    assert backend.servers["web-1"].ended == 2
    assert backend.servers["web-1"].limit == 1
    assert backend.servers["web-2"].limit is None


def test_those_that_wait_for_one_server_alone_wait_too():
    backend = read(changed("web-1", "qcur", "1")).backend

    assert (backend.in_flight, backend.queued) == (0, 3)
    assert backend.servers["web-1"].sessions == 2


def test_a_wait_is_told_while_somebody_waits():
    waiting = changed("BACKEND", "qtime", "25")
    nobody = waiting.replace("web,BACKEND,2,", "web,BACKEND,0,")

    assert read(waiting).backend.queue_ms == 25.0
    assert read(nobody).backend.queue_ms == 0.0


def test_without_a_count_of_requests_connections_are_counted():
    """Mode tcp has no requests."""
    answer = changed("BACKEND", "req_tot", "")

    assert read(answer).backend.ended == 5


def test_addresses_are_told_as_they_are():
    servers = read().backend.servers

    assert (servers["web-3"].address, servers["web-3"].port) == ("fd00::3", 80)
    assert servers["web-3"].weight == 40
    assert servers["web-4"].address == "localhost"
    assert servers["web-4"].place is None


def test_the_process_is_told_from_any_other():
    seen = read()

    assert seen.process.version.startswith("2.6.12")
    assert seen.process.release == (2, 6)
    assert seen.backend.epoch == seen.process.epoch
    assert seen.backend.up_s == 1.0
    assert seen.backend.at == 7.0
    assert seen.algorithm == "roundrobin"


def test_a_version_without_numbers_is_older_than_any():
    lines = INFO.splitlines()
    process = read_process("\n".join([lines[0], "Version: dev", *lines[2:]]))

    assert process.release == (0, 0)


def test_columns_may_stand_in_any_order():
    """Versions add columns, and not always at the end."""
    head, _, table = ANSWER.partition("# pxname")
    rows = [line.split(",") for line in ("pxname" + table).strip().splitlines()]
    order = list(range(len(rows[0])))
    order.sort(key=lambda index: rows[0][index][::-1])
    # HAProxy's tables begin with the backend's name.
    order.remove(0)
    order.insert(0, 0)
    turned = "\n".join(",".join(row[index] for index in order) for row in rows)

    assert read(f"{head}# {turned}\n\n") == read()


@pytest.mark.parametrize(
    ("answer", "refusal"),
    [
        pytest.param(f"{INFO}\n\n{REFUSALS}", Refusal.NO_BACKEND, id="no backend"),
        pytest.param("Permission denied\n\n", Refusal.FORBIDDEN, id="forbidden"),
    ],
)
def test_a_refusal_is_told(answer, refusal):
    refused = read_backend(answer, 0.0)

    assert isinstance(refused, Refused)
    assert refused.refusal is refusal


def test_a_server_that_is_in_one_list_alone_is_told_next_time():
    answer = "\n".join(line for line in ANSWER.split("\n") if " 3 web-1 " not in line)

    assert "web-1" not in read(answer).backend.servers


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param("", id="nothing"),
        pytest.param("HTTP/1.0 400 Bad request\n\n", id="no runtime socket"),
        pytest.param(INFO, id="cut after the first answer"),
        pytest.param(ANSWER.replace("# be_id", "# bogus"), id="no header"),
        pytest.param(ANSWER.replace("\n1\n#", "\n2\n#"), id="another format"),
        pytest.param(ANSWER.replace("# pxname", "# xname"), id="no table"),
        pytest.param(ANSWER.replace("scur", "gone"), id="a column less"),
        pytest.param(ANSWER.replace("web,web-1,0,", "web,web-1,"), id="a field less"),
        pytest.param(ANSWER.replace("web,web-1,0,", "web,web-1,x,"), id="no number"),
        pytest.param(ANSWER.replace("web,web-1,0,", 'web,"web-1,'), id="a quote"),
        pytest.param(ANSWER.replace("4 web 3 web-1", "4 web web-1"), id="a value less"),
        pytest.param(
            ANSWER.replace("web,BACKEND", "web,B").replace(",1,5,,5,", ",2,5,,5,"),
            id="two",
        ),
        pytest.param(ANSWER.replace("Pid: ", "Pid: -"), id="no process"),
        pytest.param(ANSWER.replace("Start_time_sec", "Begin"), id="no start"),
        pytest.param(ANSWER.replace("Name: ", "Nom: "), id="no name"),
        pytest.param(ANSWER.replace("web-1", "web\t1"), id="no name of a server"),
    ],
)
def test_an_answer_with_anything_missing_is_an_error(answer):
    with pytest.raises(AnswerError) as caught:
        read_backend(answer, 0.0)

    assert str(caught.value).isprintable()


def test_what_is_no_answer_of_a_process_is_an_error():
    with pytest.raises(AnswerError, match="show info"):
        read_process("anything")


@given(
    st.lists(
        st.tuples(
            st.integers(0, len(ANSWER) - 1), st.integers(0, 40), st.text(max_size=5)
        ),
        min_size=1,
        max_size=4,
    )
)
def test_a_damaged_answer_is_read_or_an_error(cuts):
    answer = ANSWER
    for start, length, text in cuts:
        answer = answer[:start] + text + answer[start + length :]

    seen = _outcome(answer)

    if isinstance(seen, Seen):
        _require_sound(seen.backend)
    if isinstance(seen, AnswerError):
        assert str(seen).isprintable()


def _outcome(answer):
    try:
        return read_backend(answer, 0.0)
    except AnswerError as error:
        return error


def _require_sound(backend: Backend) -> None:
    assert backend.in_flight >= 0
    assert backend.queued >= 0
    for server in backend.servers.values():
        assert server.name.isprintable()
        assert server.address.isprintable()
    assert all(server.sessions >= 0 for server in backend.servers.values())
