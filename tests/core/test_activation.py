"""What operators may ask of an activator, and what refused clients hear."""

import pytest

from autoscaler.core.activation import (
    ActivatorSettings,
    Speech,
    is_check,
    refusal_words,
)
from autoscaler.core.backend import Place

LISTEN = Place("127.0.0.1", 9000)


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_held": 0},
        {"hold_timeout": 0},
        {"connect_timeout": 0},
        {"idle_timeout": 0},
        {"wake_pause": 0},
        {"retry_after": 0},
        {"grace": 0.5},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_numbers_out_of_range_name_their_setting(wrong):
    [name] = wrong

    with pytest.raises(ValueError, match=name):
        ActivatorSettings(listen=LISTEN, **wrong)


def test_a_client_of_http_hears_when_to_come_back():
    settings = ActivatorSettings(listen=LISTEN, retry_after=7)

    head, _, text = refusal_words(settings, b"GET / HTTP/1.1\r\n").partition(
        b"\r\n\r\n"
    )

    status, *lines = head.decode("ascii").split("\r\n")
    fields = dict(line.split(": ") for line in lines)
    assert status == "HTTP/1.1 503 Service Unavailable"
    assert fields["Retry-After"] == "7"
    assert fields["Connection"] == "close"
    assert fields["Content-Length"] == str(len(text))
    assert text


def test_who_asks_for_the_head_alone_gets_it_alone():
    settings = ActivatorSettings(listen=LISTEN)

    whole = refusal_words(settings, b"GET / HTTP/1.1\r\n")
    head = refusal_words(settings, b"HEAD / HTTP/1.1\r\n")

    assert head.endswith(b"\r\n\r\n")
    assert whole.startswith(head)
    assert whole != head


def test_a_client_of_another_protocol_hears_nothing():
    settings = ActivatorSettings(listen=LISTEN, mode=Speech.TCP)

    assert refusal_words(settings, b"HEAD ") == b""


# As HAProxy 2.6 sends it, with `option httpchk GET /healthz`.
CHECK = (
    b"GET /healthz HTTP/1.0\r\n"
    b"x-haproxy-server-state: DOWN 1/2; address=127.0.0.1; port=19777; "
    b"name=web/a; node=vm; weight=1/0; scur=0/0; qcur=0\r\n\r\n"
)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        pytest.param(CHECK, True, id="a check"),
        pytest.param(CHECK.replace(b"x-haproxy-s", b"X-Haproxy-S"), True, id="2.0"),
        pytest.param(b"GET /healthz HTTP/1.0\r\n\r\n", False, id="no mark"),
        pytest.param(CHECK[:-2], False, id="not all of it"),
        pytest.param(
            b"POST / HTTP/1.1\r\n\r\nx-haproxy-server-state: UP", False, id="a body"
        ),
        pytest.param(
            b"x-haproxy-server-state: / HTTP/1.1\r\n\r\n", False, id="no field"
        ),
    ],
)
def test_a_health_check_is_known_by_its_mark(words, expected):
    assert is_check(words) is expected
