"""Tests of what is said to HAProxy."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.core import haproxy
from autoscaler.core.backend import Place
from autoscaler.core.haproxy import (
    AnswerError,
    Refusal,
    Refused,
    ServerOptions,
    Target,
    read_change,
)

WEB_1 = Target("web", "web-1")
PLACE = Place("10.0.42.11", 80)
QUIETLY = "set severity-output number"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param(
            haproxy.add_server(WEB_1, PLACE, ServerOptions()),
            "add server web/web-1 10.0.42.11:80 check inter 200ms "
            "fastinter 50ms downinter 50ms rise 1 fall 9",
            id="add",
        ),
        pytest.param(
            haproxy.add_server(
                WEB_1,
                Place("fd00::1", 443),
                ServerOptions(
                    check_every_ms=500,
                    rise=2,
                    fall=4,
                    slow_start_ms=3000,
                    limit=8,
                    words=("ssl", "verify", "required", "ca-file", "/etc/ca.pem"),
                ),
                weight=50,
            ),
            "add server web/web-1 [fd00::1]:443 check inter 500ms "
            "fastinter 125ms downinter 125ms rise 2 fall 4 "
            "slowstart 3000ms maxconn 8 ssl verify required ca-file /etc/ca.pem "
            "weight 50",
            id="add with all",
        ),
        pytest.param(
            haproxy.drain(WEB_1),
            "set server web/web-1 state drain;enable health web/web-1",
            id="drain",
        ),
        pytest.param(
            haproxy.make_ready(WEB_1), "set server web/web-1 state ready", id="ready"
        ),
        pytest.param(
            haproxy.rest(WEB_1), "set server web/web-1 state maint", id="rest"
        ),
        pytest.param(
            haproxy.weigh(WEB_1, 256), "set server web/web-1 weight 256", id="weigh"
        ),
        pytest.param(haproxy.remove(WEB_1), "del server web/web-1", id="remove"),
    ],
)
def test_a_change_is_one_line_that_asks_for_a_plain_answer(line, expected):
    assert line == f"{QUIETLY};{expected}"


def test_a_probe_is_never_checked_and_so_never_serves():
    line = haproxy.probe_server(WEB_1)

    assert line == f"{QUIETLY};add server web/web-1 127.0.0.1:9"


def test_a_look_is_one_line():
    line = haproxy.look_at("web")

    assert line == "show info;show servers state web;show stat web 6 -1"


@given(st.text(max_size=20), st.text(max_size=20))
def test_no_name_is_more_than_one_word_of_a_command(backend, server):
    try:
        target = Target(backend, server)
        look = haproxy.look_at(backend)
    except ValueError:
        return

    assert haproxy.remove(target).count(";") == 1
    assert look.count(";") == 2
    assert len(haproxy.remove(target).split(";")[1].split()) == 3
    assert haproxy.remove(target).isprintable()


@pytest.mark.parametrize("name", ["", "a b", "a;b", "a\nb", "a/b", "a\\;b", "<<", "é"])
def test_a_name_that_is_none_is_refused_in_one_line(name):
    for make in (lambda: Target(name, "a"), lambda: Target("a", name)):
        with pytest.raises(
            ValueError, match=r"can't be a .* name of HAProxy's"
        ) as caught:
            make()
        assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"check_every_ms": 0}, id="checks without a pause"),
        pytest.param({"rise": 0}, id="rise"),
        pytest.param({"fall": 1}, id="a fall that hides stale results"),
        pytest.param({"slow_start_ms": -1}, id="slow start"),
        pytest.param({"limit": 0}, id="limit"),
        pytest.param({"words": ("ssl verify",)}, id="two words"),
        pytest.param({"words": ("ssl;quit",)}, id="a command"),
        pytest.param({"words": ("ssl\nquit",)}, id="a line"),
        pytest.param({"words": ("a\\",)}, id="an escape"),
    ],
)
def test_options_that_haproxy_would_refuse_are_refused(options):
    with pytest.raises(ValueError, match=r"at least|can't be"):
        ServerOptions(**options)


@pytest.mark.parametrize("weight", [-1, 257])
def test_a_weight_beyond_haproxys_is_refused(weight):
    with pytest.raises(ValueError, match="0 to 256"):
        haproxy.weigh(WEB_1, weight)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param("\n", id="nothing to say"),
        pytest.param("\n\n\n", id="nothing to say of two"),
        pytest.param("\n[6]: New server registered.\n\n", id="news"),
        pytest.param("\n[4]: something odd\n\n", id="a warning"),
    ],
)
def test_a_change_is_done_unless_it_was_refused(answer):
    assert read_change(answer) is None


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("Permission denied", Refusal.FORBIDDEN),
        ("No such backend.", Refusal.NO_BACKEND),
        ("No such server.", Refusal.NO_SERVER),
        (
            "Already exists a server with the same name in backend.",
            Refusal.NAME_TAKEN,
        ),
        (
            "Backend must use a dynamic load balancing to support dynamic servers.",
            Refusal.STATIC_BALANCE,
        ),
        (
            "Server still has connections attached to it, cannot remove it.",
            Refusal.IN_USE,
        ),
        ("Only servers in maintenance mode can be deleted.", Refusal.IN_USE),
        ("unknown keyword 'bogus'.", Refusal.OTHER),
    ],
)
def test_a_refusal_is_one_of_a_few_and_keeps_its_text(text, refusal):
    assert read_change(f"\n[3]: {text}\n\n") == Refused(refusal, text)


def test_the_first_refusal_of_a_line_counts():
    answer = "\n\n[3]: No such server.\n\n[3]: Permission denied\n"

    assert read_change(answer) == Refused(Refusal.NO_SERVER, "No such server.")


def test_a_command_that_is_not_known_is_refused_though_it_is_told_as_news():
    answer = "\n[6]: Unknown command, but maybe one of the following\n  add acl\n"

    refused = read_change(answer)

    assert refused is not None
    assert refused.refusal is Refusal.UNKNOWN_COMMAND


@given(st.text())
def test_an_answer_is_understood_or_an_error(answer):
    outcome = _outcome(answer)

    if isinstance(outcome, Refused):
        assert outcome.text.isprintable()
    if isinstance(outcome, AnswerError):
        assert str(outcome).isprintable()


def _outcome(answer):
    try:
        return read_change(answer)
    except AnswerError as error:
        return error


def test_an_answer_without_a_severity_tells_nothing():
    with pytest.raises(AnswerError, match="Bad request"):
        read_change("HTTP/1.1 400 Bad request\r\n\r\n")
