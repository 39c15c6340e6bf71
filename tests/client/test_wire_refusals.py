"""What breaks the grammar is refused."""

import pytest

from albatross_client.errors import RemoteProtocolError
from albatross_client.wire import decode, decode_command
from tests.client import assemble as a
from tests.client.messages import (
    QUIT,
    SOLO5,
)

# What is refused

INFO_COMMAND = a.context(0, a.context(3, a.context(19, a.NULL)))
ELEMENT = a.command(a.context(3, a.context(19, a.NULL)))
DEEP = a.NULL
for _ in range(40):
    DEEP = a.seq(DEEP)


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(ELEMENT + b"\x00", id="trailing-byte"),
        pytest.param(a.message(INFO_COMMAND, a.NULL), id="third-element"),
        pytest.param(a.seq(a.header()), id="no-payload"),
        pytest.param(a.seq(), id="empty"),
        pytest.param(a.a_set(a.header(), INFO_COMMAND), id="set-for-sequence"),
        pytest.param(a.message(a.NULL), id="payload-without-tag"),
        pytest.param(a.message(a.context(4, a.NULL)), id="payload-4"),
        pytest.param(a.message(a.tlv(0x80, a.NULL)), id="primitive-payload"),
        pytest.param(a.message(a.tlv(0xE0, a.NULL)), id="private-payload"),
        pytest.param(a.command(), id="no-command"),
        pytest.param(a.command(a.NULL), id="untagged-command"),
        pytest.param(a.command(a.context(3)), id="empty-explicit"),
        pytest.param(
            a.command(a.context(3, a.context(19, a.NULL, a.NULL))),
            id="two-in-explicit",
        ),
        pytest.param(
            a.command(a.context(3, a.context(19, a.NULL)), a.NULL),
            id="two-in-payload",
        ),
        pytest.param(a.command(a.context(2, a.NULL)), id="log-command"),
        pytest.param(a.data(a.context(2, a.NULL)), id="log-data"),
        pytest.param(
            a.command(a.context(3, a.context(22, a.NULL))), id="unknown-unikernel"
        ),
        pytest.param(a.command(a.context(5, a.context(8, a.NULL))), id="unknown-block"),
        pytest.param(
            a.command(a.context(3, a.context(19, b"\x05\x01\x00"))), id="long-null"
        ),
        pytest.param(
            a.command(a.context(5, a.context(7, b"\x01\x00"))), id="empty-boolean"
        ),
        pytest.param(
            a.command(a.context(5, a.context(7, b"\x01\x02\xff\xff"))),
            id="long-boolean",
        ),
        pytest.param(
            a.command(a.context(5, a.context(1, b"\x02\x00"))), id="empty-integer"
        ),
        pytest.param(
            a.command(a.context(5, a.context(1, b"\x02\x02\x00\x7f"))),
            id="padded-integer",
        ),
        pytest.param(
            a.command(a.context(5, a.context(1, b"\x02\x02\xff\x80"))),
            id="padded-negative",
        ),
        pytest.param(
            a.command(a.context(5, a.context(1, a.number(-(1 << 62) - 1)))),
            id="integer-of-64-bits",
        ),
        pytest.param(
            a.command(a.context(5, a.context(1, a.number(1 << 200)))),
            id="huge-integer",
        ),
        pytest.param(
            a.success(a.context(1, a.tlv(0x2C, a.utf8("a"), a.utf8("b")))),
            id="text-in-pieces",
        ),
        pytest.param(
            a.success(
                a.context(4, a.seq(a.seq(a.utf8("a"), a.number(1), a.TRUE, a.NULL)))
            ),
            id="one-field-too-many",
        ),
        pytest.param(
            a.success(a.context(4, a.seq(a.seq(a.utf8("a"), a.number(1))))),
            id="one-field-too-few",
        ),
        pytest.param(
            a.success(a.context(4, a.seq(a.seq(a.number(1), a.utf8("a"), a.TRUE)))),
            id="fields-swapped",
        ),
        pytest.param(a.success(a.context(12, a.seq(a.utf8("a b")))), id="bad-name"),
        pytest.param(
            a.message(INFO_COMMAND, head=a.header("\u212a")), id="kelvin-sign-name"
        ),
        pytest.param(
            a.message(INFO_COMMAND, head=a.header(b"caf\xe9")), id="name-of-bytes"
        ),
        pytest.param(a.message(INFO_COMMAND, head=a.header(version=4)), id="version-4"),
        pytest.param(a.data(a.context(5, DEEP)), id="too-deep"),
        pytest.param(
            a.success(
                a.context(
                    13,
                    a.seq(
                        a.seq(
                            a.utf8("web"),
                            a.seq(
                                *(SOLO5, QUIT, a.a_set(), a.number(1), a.octets(b"")),
                                a.context(
                                    1,
                                    a.a_set(
                                        a.seq(
                                            a.utf8("a"), a.utf8("b"), a.octets(b"12345")
                                        )
                                    ),
                                ),
                            ),
                        )
                    ),
                )
            ),
            id="short-mac",
        ),
        pytest.param(
            a.stats(a.rusage(*[a.octets(bytes(7))] * 14), a.seq()), id="short-counter"
        ),
        pytest.param(
            a.stats(a.rusage(), a.seq(), a.context(0, a.seq()), a.kinfo(), a.NULL),
            id="after-kinfo",
        ),
        pytest.param(
            a.stats(a.rusage(), a.seq(), a.context(1, a.seq())), id="explicit-kinfo"
        ),
        pytest.param(
            a.data(a.context(5, b"\x1f\x1e\x00")), id="long-tag-for-a-short-one"
        ),
        pytest.param(a.data(a.context(5, b"\x1f\x80\x1f\x00")), id="padded-tag"),
        pytest.param(
            a.data(a.context(5, b"\x1f\x81\x81\x81\x81\x01\x00")), id="endless-tag"
        ),
        pytest.param(a.data(a.context(5, b"\x1f\x81")), id="tag-cut-off"),
        pytest.param(a.data(a.context(5, b"\x00\x00")), id="end-of-contents"),
        pytest.param(a.data(a.context(5, b"\x10\x00")), id="primitive-sequence"),
        pytest.param(a.data(a.context(5, b"\x24\x00")), id="octets-in-pieces"),
        pytest.param(a.data(a.context(5, b"\x04\x80\x00\x00")), id="indefinite-length"),
        pytest.param(
            a.data(a.context(5, b"\x04\x81\x01\x00")), id="long-form-of-a-short-length"
        ),
        pytest.param(
            a.data(a.context(5, b"\x04\x82\x00\x81" + bytes(129))), id="padded-length"
        ),
        pytest.param(
            a.data(a.context(5, b"\x04\x89" + b"\x01" * 9)), id="length-of-nine-bytes"
        ),
        pytest.param(
            a.data(a.context(5, b"\x04\x84\xff\xff\xff\xff")), id="huge-length"
        ),
        pytest.param(a.data(a.context(5, b"\x04\x82\x01")), id="length-cut-off"),
        pytest.param(a.data(a.context(5, b"\x04")), id="no-length"),
    ],
)
def test_what_breaks_the_grammar_is_refused(octets):
    with pytest.raises(RemoteProtocolError):
        decode(octets)


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(
            a.seq(a.number(4), a.context(3, a.context(19, a.NULL))), id="version-4"
        ),
        pytest.param(
            a.seq(a.number(5), a.context(3, a.context(19, a.NULL)), a.NULL),
            id="third-element",
        ),
        pytest.param(a.seq(a.number(5)), id="no-command"),
        pytest.param(
            a.seq(a.utf8("5"), a.context(3, a.context(19, a.NULL))),
            id="version-of-text",
        ),
        pytest.param(
            a.seq(
                a.number(5),
                a.context(
                    4,
                    a.context(
                        1,
                        a.seq(a.seq(a.octets(b"1")), a.number(1), a.number(1), a.seq()),
                    ),
                ),
            ),
            id="cpuid-of-octets",
        ),
    ],
)
def test_an_extension_that_breaks_the_grammar_is_refused(octets):
    with pytest.raises(RemoteProtocolError):
        decode_command(octets)


def test_every_prefix_of_a_message_is_refused():
    octets = a.stats(a.rusage(), a.seq(a.interface()), a.kinfo())

    for end in range(len(octets)):
        with pytest.raises(RemoteProtocolError):
            decode(octets[:end])


def test_a_refusal_is_one_line():
    with pytest.raises(RemoteProtocolError) as refusal:
        decode(a.message(a.context(2, a.NULL)))

    assert "\n" not in str(refusal.value)
