"""HTTP requests as the sandbox's unikernels read them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from albatross_client.sandbox.web.request import (
    MOST_BODY_BYTES,
    MOST_HEAD_BYTES,
    RefusedError,
    read_request,
    response,
)

HOST = b"Host: web\r\n"
GET = b"GET /work?ms=5 HTTP/1.1\r\n" + HOST + b"\r\n"
POST = b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 4\r\n\r\nbody"


def request(first=b"GET / HTTP/1.1", *fields):
    lines = [first, *(fields or [b"Host: web"])]
    return b"\r\n".join(lines) + b"\r\n\r\n"


def refusal(octets):
    with pytest.raises(RefusedError) as caught:
        read_request(octets)
    return caught.value.status


def test_a_request_is_read_with_what_it_asks_for():
    read = read_request(GET)

    assert read is not None
    assert read.path == b"/work"
    assert read.seconds == 0.005
    assert read.keeps_alive
    assert not read.is_head
    assert read.octets == len(GET)


@pytest.mark.parametrize("target", [b"/", b"/?", b"/?a=b&c"], ids=str)
def test_a_request_that_asks_for_no_time_takes_the_usual(target):
    read = read_request(request(b"GET " + target + b" HTTP/1.1"))

    assert read is not None
    assert read.seconds is None


@given(octets=st.sampled_from([GET, POST]), cut=st.integers(0))
def test_part_of_a_request_is_none_yet(octets, cut):
    assert read_request(octets[: cut % len(octets)]) is None


def test_what_follows_a_request_is_not_its():
    read = read_request(POST + GET)

    assert read is not None
    assert read.octets == len(POST)


def test_an_answer_to_head_has_the_length_of_a_body_and_none():
    head = read_request(request(b"HEAD / HTTP/1.1"))

    answer = response(200, "hello", head)

    assert b"Content-Length: 5\r\n" in answer
    assert answer.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    ("first", "fields", "keeps"),
    [
        (b"GET / HTTP/1.1", [b"Host: web", b"Connection: Close"], False),
        (b"GET / HTTP/1.1", [b"Host: web", b"Connection: x, close"], False),
        (b"GET / HTTP/1.1", [b"Host: web", b"Connection: keep-alive"], True),
        (b"GET / HTTP/1.0", [], False),
        (b"GET / HTTP/1.0", [b"Connection: keep-alive"], True),
    ],
    ids=["close", "close among others", "keep-alive", "1.0", "1.0 keep-alive"],
)
def test_a_connection_is_kept_as_its_client_says(first, fields, keeps):
    read = read_request(request(first, *fields))

    assert read is not None
    assert read.keeps_alive is keeps
    kept = b"keep-alive" if keeps else b"close"
    assert b"Connection: " + kept in response(200, "", read)


@pytest.mark.parametrize(
    ("octets", "status"),
    [
        pytest.param(request(b"GET /"), 400, id="two words"),
        pytest.param(request(b"GET  HTTP/1.1"), 400, id="no target"),
        pytest.param(request(b"GET / HTTP/2"), 505, id="version"),
        pytest.param(request(b"GET / SIP/1.1"), 400, id="protocol"),
        pytest.param(request(b"GET / HTTP/1.1", b"A: b"), 400, id="no host"),
        pytest.param(request(b"GET / HTTP/1.1", b"no colon"), 400, id="no colon"),
        pytest.param(request(b"GET / HTTP/1.1", b"Host : a"), 400, id="space"),
        pytest.param(request(b"GET / HTTP/1.1", b": a"), 400, id="no name"),
        pytest.param(
            request(b"PUT / HTTP/1.1", b"Host: a", b"Content-Length: +1"),
            400,
            id="length of no digits",
        ),
        pytest.param(
            request(
                b"PUT / HTTP/1.1",
                b"Host: a",
                b"Content-Length: 1",
                b"Content-Length: 2",
            ),
            400,
            id="two lengths",
        ),
        pytest.param(
            request(
                b"PUT / HTTP/1.1",
                b"Host: a",
                b"Content-Length: %d" % (MOST_BODY_BYTES + 1),
            ),
            413,
            id="too long",
        ),
        pytest.param(
            request(b"PUT / HTTP/1.1", b"Host: a", b"Content-Length: " + b"9" * 5000),
            413,
            id="far too long",
        ),
        pytest.param(
            request(b"PUT / HTTP/1.1", b"Host: a", b"Transfer-Encoding: chunked"),
            501,
            id="chunked",
        ),
        pytest.param(request(b"GET /?ms=x HTTP/1.1"), 400, id="ms no number"),
        pytest.param(request(b"GET /?ms=-1 HTTP/1.1"), 400, id="ms negative"),
        pytest.param(request(b"GET /?ms=nan HTTP/1.1"), 400, id="ms not a number"),
        pytest.param(request(b"GET /?ms=60001 HTTP/1.1"), 400, id="ms too long"),
        pytest.param(b"x" * (MOST_HEAD_BYTES + 1), 431, id="head without end"),
        pytest.param(
            request(b"GET / HTTP/1.1", b"A: " + b"x" * MOST_HEAD_BYTES),
            431,
            id="head too long",
        ),
    ],
)
def test_what_is_no_request_is_refused_with_its_status(octets, status):
    assert refusal(octets) == status
    assert b"Connection: close" in response(status, "", None)
