"""Every message survives the wire; what breaks the grammar is refused."""

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from albatross_client import commands as c
from albatross_client import replies as r
from albatross_client import values as v
from albatross_client.errors import RemoteProtocolError
from albatross_client.names import Name
from albatross_client.wire import decode, decode_command, encode, encode_command
from tests.client import assemble as a
from tests.client import strategies as some
from tests.client.messages import (
    INFO,
    old_config,
    wrapped,
)

ROOT_LABEL = a.header(":web")


def payload_of(octets):
    return decode(octets).payload


@given(some.wires)
def test_every_message_comes_back_as_it_was_sent(message):
    assert decode(encode(message)) == message


@given(some.a_command)
def test_every_command_comes_back_from_a_certificate(command):
    assert decode_command(encode_command(command)) == command


@given(some.stats_wires)
def test_the_same_message_has_the_same_octets(message):
    octets = encode(message)

    assert encode(decode(octets)) == octets


@given(st.binary(max_size=64))
def test_noise_is_refused(octets):
    with pytest.raises(RemoteProtocolError):
        decode(octets)
    with pytest.raises(RemoteProtocolError):
        decode_command(octets)


# Values without a form


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        pytest.param(c.BlockAdd(1 << 62), "63 bits", id="integer-too-big"),
        pytest.param(c.BlockAdd(-(1 << 62) - 1), "63 bits", id="integer-too-small"),
        pytest.param(
            r.StatsData(
                v.Stats(
                    rusage=v.Rusage(utime=v.Timeval(1 << 63, 0), stime=v.Timeval(0, 0))
                )
            ),
            "64 bits",
            id="counter-too-big",
        ),
        pytest.param(r.Failure("\ud800"), "no form in UTF-8", id="lone-surrogate"),
        pytest.param(
            c.ConsoleSubscribe(v.Timestamp(253_402_300_800_000)),
            "years 0 to 9999",
            id="year-10000",
        ),
    ],
)
def test_a_value_without_a_form_on_the_wire_is_refused(payload, reason):
    with pytest.raises(ValueError, match=reason):
        encode(wrapped(payload))


def test_another_version_is_not_written():
    with pytest.raises(ValueError, match="version 4 is not spoken"):
        encode(r.Wire(r.Header(Name((), "web"), version=4), c.UnikernelInfo()))


def test_the_sets_of_a_policy_are_written_ascending():
    policy = v.ResourcePolicy(
        cpuids=frozenset({300, 2, 10}), bridges=frozenset({"b", "a", "\u00e9", "br10"})
    )

    written = encode(wrapped(c.PolicyAdd(policy)))

    form = a.seq(
        a.seq(a.number(2), a.number(10), a.number(300)),
        a.number(0),
        a.number(0),
        a.seq(a.utf8("a"), a.utf8("b"), a.utf8("br10"), a.utf8("\u00e9")),
    )
    assert written == a.command(a.context(4, a.context(1, form)))


# What is odd but means something


def test_sets_are_read_in_any_order():
    codes = a.context(1, a.a_set(a.number(300), a.number(2)))
    form = a.seq(codes, a.TRUE, a.a_set(a.number(9), a.number(1)), a.number(1))

    command = payload_of(a.command(a.context(3, a.context(14, a.context(3, form)))))

    assert command.arguments == v.Arguments(
        fail_behaviour=v.RestartOnExit(frozenset({2, 300})),
        cpuids=frozenset({1, 9}),
        memory=1,
    )


def test_empty_devices_are_read_as_none():
    empty = a.context(0, a.a_set()) + a.context(1, a.a_set())
    octets = a.command(a.context(3, a.context(9, old_config(devices=empty))))

    config = payload_of(octets).config

    assert (config.blocks, config.interfaces, config.argv) == ((), (), None)


def test_of_a_counter_with_more_than_eight_bytes_the_first_eight_are_taken():
    long = [a.octets(bytes(7) + b"\x05" + b"\xff" * 200)] * 14

    data = payload_of(a.stats(a.rusage(*long), a.seq()))

    assert data.stats.rusage.maxrss == 5


def test_foreign_bytes_in_a_text_do_not_hide_the_message_and_are_kept():
    octets = a.success(a.context(1, a.utf8(b"caf\xe9")))

    message = decode(octets)

    assert message.payload == r.Said("caf\udce9")
    assert encode(message) == octets


@pytest.mark.parametrize(
    ("text", "name"),
    [
        pytest.param("WEB", Name((), "web"), id="upper-case"),
        pytest.param("web", Name((), "web"), id="no-colon"),
        pytest.param(":a:b", Name(("a",), "b"), id="leading-colon"),
    ],
)
def test_a_name_is_read_as_hosts_do(text, name):
    octets = a.message(a.context(2, a.utf8("no")), head=a.header(text))

    assert decode(octets).header.name == name


def test_images_and_contents_are_not_printed():
    shown = repr(c.OldBlockAdd(4, compressed=False, content=bytes(9)))
    empty = repr(r.BlockChunk(None))

    assert "<9 bytes>" in shown
    assert "None" in empty


@pytest.mark.parametrize(
    ("payload", "octets"),
    [
        pytest.param(r.Done(), a.success(a.context(0, a.NULL)), id="empty"),
        pytest.param(r.OldInfos5(()), a.success(a.context(11, a.seq())), id="infos-5"),
        pytest.param(
            c.OldUnikernelInfo4(),
            a.command(a.context(3, a.context(15, a.NULL))),
            id="old-info-4",
        ),
        pytest.param(
            c.PolicyRemove(),
            a.command(a.context(4, a.context(2, a.NULL))),
            id="policy-remove",
        ),
        pytest.param(
            r.Blocks((r.Block(Name(("a",), "b"), 7, active=True),)),
            a.success(a.context(4, a.seq(a.seq(a.utf8("a:b"), a.number(7), a.TRUE)))),
            id="blocks",
        ),
    ],
)
def test_a_message_that_no_vector_shows_is_written_after_the_grammar(payload, octets):
    assert encode(wrapped(payload)) == octets
    assert decode(octets) == wrapped(payload)


@pytest.mark.parametrize(("length", "kept"), [(100, True), (100_000, False)])
def test_a_unikernel_that_is_told_at_length_is_not_remembered(length, kept):
    """A reply may have 16 MiB, and thousands of unikernels were remembered."""
    told = evolve(INFO, argv=("x" * length,))
    octets = encode(wrapped(r.Infos(((Name((), "web"), told),))))

    first, second = decode(octets).payload, decode(octets).payload

    assert isinstance(first, r.Infos)
    assert isinstance(second, r.Infos)
    assert first == second
    assert (first.infos[0][1] is second.infos[0][1]) is kept
