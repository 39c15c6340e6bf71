"""Every message survives the wire; what breaks the grammar is refused."""

import pytest
from attrs import asdict, evolve
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

HEADER = r.Header(Name((), "web"))
ROOT_LABEL = a.header(":web")


def wrapped(payload):
    return r.Wire(HEADER, payload)


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


# Older forms: read, never written

OLD_BLOCKS = a.context(0, a.a_set(a.seq(a.utf8("storage"), a.utf8("disk"))))
OLD_BRIDGES = a.context(1, a.a_set(a.seq(a.utf8("service"))))
OLD_ARGV = a.context(2, a.seq(a.utf8("--x=1")))
OLD_DEVICES = OLD_BLOCKS + OLD_BRIDGES + OLD_ARGV
SOLO5 = a.context(0, a.NULL)
QUIT = a.context(0, a.NULL)
RESTART = a.context(1, a.a_set(a.number(1)))
BARE = v.Arguments(
    memory=64,
    cpuids=frozenset({3}),
    blocks=(v.BlockDevice("storage", "disk"),),
    interfaces=(v.Interface("service"),),
    argv=("--x=1",),
)


def old_config(*startup, devices=OLD_DEVICES):
    return a.seq(
        *(SOLO5, a.TRUE, a.octets(b"\x7fELF")),
        *startup,
        *(RESTART, a.number(3), a.number(64)),
        devices,
    )


NEW_CONFIG = v.Config(
    **asdict(
        evolve(BARE, fail_behaviour=v.RestartOnExit(frozenset({1}))), recurse=False
    ),
    typ=v.Typ.SOLO5,
    compressed=True,
    image=b"\x7fELF",
)
NAMED_CONFIG = old_config(a.number(7), a.FALSE)


@pytest.mark.parametrize(
    ("tag", "octets", "command"),
    [
        pytest.param(9, old_config(), c.UnikernelCreate(NEW_CONFIG), id="create-3"),
        pytest.param(
            10, old_config(), c.UnikernelForceCreate(NEW_CONFIG), id="force-create-3"
        ),
        pytest.param(
            16,
            old_config(a.TRUE),
            c.UnikernelCreate(NEW_CONFIG),
            id="create-4-without-startup",
        ),
        pytest.param(
            16,
            NAMED_CONFIG,
            c.UnikernelCreate(evolve(NEW_CONFIG, startup=7, add_name=False)),
            id="create-4",
        ),
        pytest.param(
            17,
            NAMED_CONFIG,
            c.UnikernelForceCreate(evolve(NEW_CONFIG, startup=7, add_name=False)),
            id="force-create-4",
        ),
    ],
)
def test_a_create_of_an_older_client_is_read_as_one_of_today(tag, octets, command):
    message = a.command(a.context(3, a.context(tag, octets)))

    assert decode(message) == wrapped(command)


OLD_ARGUMENTS = evolve(BARE, fail_behaviour=v.Quit())


@pytest.mark.parametrize(
    ("tag", "startup", "arguments"),
    [
        pytest.param(1, [], OLD_ARGUMENTS, id="version-0"),
        pytest.param(2, [a.TRUE], OLD_ARGUMENTS, id="version-1-without-startup"),
        pytest.param(
            2,
            [a.number(7), a.FALSE],
            evolve(OLD_ARGUMENTS, startup=7, add_name=False),
            id="version-1",
        ),
    ],
)
def test_restart_arguments_of_an_older_client_are_read(tag, startup, arguments):
    form = a.seq(QUIT, *startup, a.number(3), a.number(64), OLD_DEVICES)

    message = decode(a.command(a.context(3, a.context(14, a.context(tag, form)))))

    assert message == wrapped(c.UnikernelRestart(arguments))


INFO_END = (
    a.octets(b"digest"),
    a.context(1, a.a_set(a.seq(a.utf8("service"), a.utf8("br0"), a.octets(b"abcdef")))),
    a.context(3, a.time(b"20260822101112Z")),
)
INFO = v.Info(
    fail_behaviour=v.Quit(),
    cpuids=frozenset({3}),
    memory=64,
    digest=b"digest",
    interfaces=(v.InterfaceInfo("service", "br0", b"abcdef"),),
    started=v.Timestamp(1_787_393_472_000),
)
OLD_INFO = (SOLO5, QUIT, a.number(3), a.number(64), *INFO_END)


@pytest.mark.parametrize(
    ("tag", "form", "reply"),
    [
        pytest.param(
            9, OLD_INFO, r.OldInfos4(((Name((), "web"), INFO),)), id="version-4"
        ),
        pytest.param(
            11,
            OLD_INFO,
            r.OldInfos5(((Name((), "web"), INFO),)),
            id="version-5-without-startup",
        ),
        pytest.param(
            11,
            (SOLO5, a.number(7), *OLD_INFO[1:]),
            r.OldInfos5(((Name((), "web"), evolve(INFO, startup=7)),)),
            id="version-5",
        ),
        pytest.param(
            13,
            (SOLO5, QUIT, a.a_set(a.number(3)), a.number(64), *INFO_END),
            r.Infos(((Name((), "web"), INFO),)),
            id="today-without-cpus",
        ),
    ],
)
def test_infos_of_every_age_are_read(tag, form, reply):
    pair = a.seq(a.utf8(":web"), a.seq(*form))

    assert decode(a.success(a.context(tag, a.seq(pair)))) == wrapped(reply)


@pytest.mark.parametrize(
    ("infos", "change"),
    [
        pytest.param(r.OldInfos4, {"startup": 1}, id="startup-in-version-4"),
        pytest.param(r.OldInfos4, {"cpuids": frozenset()}, id="no-cpu-in-version-4"),
        pytest.param(
            r.OldInfos5, {"cpuids": frozenset({0, 1})}, id="two-cpus-in-version-5"
        ),
        pytest.param(r.OldInfos5, {"numcpus": 2}, id="numcpus-in-version-5"),
        pytest.param(
            r.OldInfos5, {"linux_boot_partition": "x"}, id="partition-in-version-5"
        ),
    ],
)
def test_what_an_older_reply_cannot_say_is_not_written(infos, change):
    reply = infos(((Name((), "web"), evolve(INFO, **change)),))

    with pytest.raises(ValueError, match="an info of version 4"):
        encode(wrapped(reply))


# Tags of newer hosts


@pytest.mark.parametrize(
    ("octets", "within", "tag"),
    [
        pytest.param(a.command(a.context(7, a.NULL)), "command", 7, id="command"),
        pytest.param(a.success(a.context(14, a.seq())), "success", 14, id="success"),
        pytest.param(a.success(a.context(3, a.seq())), "success", 3, id="a-gap"),
        pytest.param(a.data(a.context(5, a.NULL)), "data", 5, id="data"),
        pytest.param(a.data(a.context(0, a.NULL)), "data", 0, id="data-0"),
        pytest.param(a.data(a.context(300, a.NULL)), "data", 300, id="long-tag"),
        pytest.param(a.data(a.context(5)), "data", 5, id="empty"),
        pytest.param(
            a.data(a.context(5, a.context(2, a.NULL, a.NULL))),
            "data",
            5,
            id="implicit-inside",
        ),
    ],
)
def test_an_unknown_tag_is_a_value_and_is_written_as_it_came(octets, within, tag):
    message = decode(octets)

    assert isinstance(message.payload, c.Unknown)
    assert (message.payload.within, message.payload.tag) == (within, tag)
    assert encode(message) == octets


@pytest.mark.parametrize(
    ("unknown", "reason"),
    [
        pytest.param(
            c.Unknown("data", 5, a.context(6, a.NULL)), "tag 5", id="another-tag"
        ),
        pytest.param(
            c.Unknown("data", 3, a.context(3, a.NULL)), "or it is known", id="known"
        ),
        pytest.param(
            c.Unknown("data", 2, a.context(2, a.NULL)), "dropped", id="dropped"
        ),
        pytest.param(c.Unknown("data", 5, b"\xa5\x02\x05"), "has only 1", id="cut-off"),
        pytest.param(
            c.Unknown("data", 5, a.context(5, a.NULL) + b"\x00"),
            "more than one",
            id="trailing-byte",
        ),
        pytest.param(c.Unknown("data", 5, a.NULL), "no alternative", id="universal"),
    ],
)
def test_an_unknown_that_is_none_is_not_written(unknown, reason):
    with pytest.raises(ValueError, match=reason):
        encode(wrapped(unknown))


def test_an_unknown_reply_is_not_written_as_a_command():
    with pytest.raises(ValueError, match="unknown data cannot stand in a command"):
        encode_command(c.Unknown("data", 5, a.context(5, a.NULL)))


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
