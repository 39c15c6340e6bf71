"""Messages of older clients and hosts are read, those of newer ones kept."""

import pytest
from attrs import asdict, evolve

from albatross_client import commands as c
from albatross_client import replies as r
from albatross_client import values as v
from albatross_client.names import Name
from albatross_client.wire import decode, encode, encode_command
from tests.client import assemble as a
from tests.client.messages import (
    INFO,
    OLD_DEVICES,
    QUIT,
    SOLO5,
    old_config,
    wrapped,
)

BARE = v.Arguments(
    memory=64,
    cpuids=frozenset({3}),
    blocks=(v.BlockDevice("storage", "disk"),),
    interfaces=(v.Interface("service"),),
    argv=("--x=1",),
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
        pytest.param(
            r.OldInfos5, {"linux_boot_partition": ""}, id="empty-partition-in-version-5"
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
