"""The pure host: what no client shows, because it makes names absolute."""

import hashlib
import zlib

import pytest
from attrs import evolve

from albatross_client import commands as c
from albatross_client import replies as r
from albatross_client.names import ROOT, Name
from albatross_client.sandbox.host import (
    exited,
    handle,
    new_host,
    taken,
    wants_upload,
)
from albatross_client.sandbox.live import DEFAULT_ROOT_POLICY
from albatross_client.sandbox.state import Start, Stop
from albatross_client.values import (
    Arguments,
    Config,
    Interface,
    Quit,
    ResourcePolicy,
    RestartOnExit,
    Typ,
)
from tests.client.sandbox.asking import (
    CREATE,
    JOB,
    LATER,
    NOW,
    SOLO,
    TEAM,
    a_host,
    ask,
    replies,
    reply,
)
from tests.sandbox_fixtures import IMAGE, USER, USER_POLICY, WEB


@pytest.mark.parametrize(
    "command",
    [
        c.ConsoleAdd(5),
        c.StatsAdd("", 1, ()),
        c.StatsRemove(),
        c.StatsInitial(),
        c.PolicyAdd(ResourcePolicy()),
        c.PolicyRemove(),
        c.Unknown("command", 9, b""),
    ],
    ids=lambda command: type(command).__name__,
)
def test_what_a_certificate_may_not_carry_is_not_taken(command):
    assert taken(command) is None


@pytest.mark.parametrize(
    ("command", "wanted"),
    [
        (c.UnikernelCreate(Config()), True),
        (c.UnikernelForceCreate(Config()), True),
        (CREATE, False),
        (c.BlockSet(compressed=False), True),
        (c.UnikernelInfo(), False),
    ],
    ids=["create", "force-create", "create with image", "block set", "info"],
)
def test_only_content_that_the_certificate_lacks_is_streamed(command, wanted):
    assert wants_upload(command) is wanted


def test_a_single_reply_has_the_whole_name_and_sequence_0():
    wire = reply(a_host(), WEB, CREATE)

    assert wire == r.Wire(r.Header(WEB, 0), r.Said("created unikernel"))


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        (ROOT, [":solo", "user:web", "user:team:job"]),
        (USER, [":web", "team:job"]),
        (TEAM, [":job"]),
        (WEB, ["user:web"]),
        (Name(("user",), "nosuch"), []),
        (Name(("use",)), []),
    ],
    ids=["root", "domain", "sub-domain", "one", "unknown", "prefix of a label"],
)
def test_infos_are_named_relative_to_a_path_and_wholly_for_one(asked, shown):
    wire = reply(a_host(SOLO, WEB, JOB), asked, c.UnikernelInfo())

    names = [str(name) for name, _ in wire.payload.infos]
    assert sorted(names) == sorted(shown)


def test_the_list_is_in_descending_order():
    host = a_host(WEB, Name(("user",), "web-clone-1"), Name(("user",), "api"))

    wire = reply(host, USER, c.UnikernelInfo())

    names = [str(name) for name, _ in wire.payload.infos]
    assert names == [":web-clone-1", ":web", ":api"]


def test_older_info_commands_are_answered_in_their_old_form():
    config = Config(image=IMAGE, cpuids=frozenset({2, 3}), numcpus=2, startup=7)
    host, _ = handle(a_host(), ask(WEB, c.UnikernelCreate(config)), NOW)

    fifth = reply(host, WEB, c.OldUnikernelInfo5())
    fourth = reply(host, WEB, c.OldUnikernelInfo4())

    ((_, info5),) = fifth.payload.infos
    ((_, info4),) = fourth.payload.infos
    assert isinstance(fifth.payload, r.OldInfos5)
    assert isinstance(fourth.payload, r.OldInfos4)
    assert (info5.cpuids, info5.numcpus, info5.startup) == (frozenset({2}), 1, 7)
    assert info4.startup is None


@pytest.mark.parametrize(
    ("add_name", "argv", "shown"),
    [
        (True, None, ("--name=web",)),
        (True, ("--ipv4=10.0.0.2/24",), ("--name=web", "--ipv4=10.0.0.2/24")),
        (False, None, None),
        (False, (), ()),
    ],
    ids=["name alone", "name first", "none", "empty"],
)
def test_the_name_is_put_before_the_arguments_when_asked_for(add_name, argv, shown):
    config = Config(image=IMAGE, add_name=add_name, argv=argv)
    host, _ = handle(a_host(), ask(WEB, c.UnikernelCreate(config)), NOW)

    ((_, info),) = reply(host, WEB, c.UnikernelInfo()).payload.infos

    assert info.argv == shown


def test_a_mac_that_nobody_chose_depends_on_bridge_and_name_alone():
    config = Config(image=IMAGE, interfaces=(Interface("net", "service"),))
    host, _ = handle(a_host(), ask(WEB, c.UnikernelCreate(config)), NOW)

    ((_, info),) = reply(host, WEB, c.UnikernelInfo()).payload.infos

    ours = hashlib.md5(b"serviceuser:web", usedforsecurity=False).digest()[:3]
    assert info.interfaces[0].mac == b"\x00\x80\x41" + ours


@pytest.mark.parametrize(
    ("compressed", "level", "came_compressed"),
    [(False, 0, False), (False, 6, True), (True, 0, False), (True, 9, True)],
)
def test_an_image_is_compressed_as_asked(compressed, level, came_compressed):
    stored = zlib.compress(IMAGE) if compressed else IMAGE
    config = Config(image=stored, compressed=compressed)
    host, _ = handle(a_host(), ask(WEB, c.UnikernelCreate(config)), NOW)

    image = reply(host, WEB, c.UnikernelGet(level)).payload

    plain = zlib.decompress(image.image) if image.compressed else image.image
    assert (image.compressed, plain) == (came_compressed, IMAGE)


def test_the_digest_is_that_of_the_uncompressed_image():
    config = Config(image=zlib.compress(IMAGE), compressed=True)
    host, _ = handle(a_host(), ask(WEB, c.UnikernelCreate(config)), NOW)

    assert host.unikernels[WEB].digest == hashlib.sha256(IMAGE).digest()


def test_a_bhyve_unikernel_has_the_name_of_a_machine_for_an_image():
    config = Config(image=b"freebsd", typ=Typ.BHYVE)

    host, _ = handle(a_host(), ask(WEB, c.UnikernelCreate(config)), NOW)

    assert host.unikernels[WEB].digest == b"freebsd"


@pytest.mark.parametrize(
    ("config", "text"),
    [
        (Config(image=b"\x7fEL"), "error during ELF parsing"),
        (Config(image=IMAGE, compressed=True), "error during decompression"),
        (Config(), "error during ELF parsing"),
    ],
    ids=["not ELF", "no zlib stream", "empty upload"],
)
def test_a_bad_image_is_refused_and_starts_nothing(config, text):
    host, effects = handle(a_host(), ask(WEB, c.UnikernelCreate(config)), NOW)

    (wire,) = replies(effects)
    assert wire.payload == r.Failure(text)
    assert host.unikernels == {}


def test_a_unikernel_cannot_be_made_of_a_path():
    wire = reply(a_host(), USER, CREATE)

    assert wire.payload == r.Failure("path used instead of name")


def test_force_create_replaces_what_runs_and_is_checked_without_it():
    policy = evolve(USER_POLICY, unikernels=1)
    host = new_host(DEFAULT_ROOT_POLICY, {USER: policy})
    host, _ = handle(host, ask(WEB, CREATE), NOW)
    old = host.unikernels[WEB]
    forced = c.UnikernelForceCreate(Config(image=IMAGE, memory=64))

    host, effects = handle(host, ask(WEB, forced), LATER)

    new = host.unikernels[WEB]
    assert effects[:2] == (Stop(old), Start(new))
    assert (new.config.memory, new.started) == (64, LATER)
    assert new.process != old.process


def test_a_force_create_that_is_refused_leaves_what_runs():
    before = a_host(WEB)
    forced = c.UnikernelForceCreate(Config(image=IMAGE, memory=4096))

    host, effects = handle(before, ask(WEB, forced), LATER)

    assert isinstance(replies(effects)[0].payload, r.Failure)
    assert host.unikernels == before.unikernels


def test_force_create_of_a_new_name_is_a_create():
    host, _ = handle(
        a_host(), ask(WEB, c.UnikernelForceCreate(Config(image=IMAGE))), NOW
    )

    assert list(host.unikernels) == [WEB]


def test_a_restart_keeps_image_and_digest_and_says_created():
    before = a_host(WEB)

    host, effects = handle(before, ask(WEB, c.UnikernelRestart(None)), LATER)

    old, new = before.unikernels[WEB], host.unikernels[WEB]
    assert replies(effects)[-1].payload == r.Said("created unikernel")
    assert (new.digest, new.config, new.started) == (old.digest, old.config, LATER)
    assert effects[:2] == (Stop(old), Start(new))


@pytest.mark.parametrize(
    ("names", "arguments", "text"),
    [
        ((), None, "destroy: not found"),
        (
            (WEB,),
            Arguments(memory=4096),
            "maximum allowed memory (512, used 0) would be exceeded (requesting 4096)",
        ),
    ],
    ids=["unknown", "too large"],
)
def test_a_restart_is_refused_in_the_hosts_words(names, arguments, text):
    wire = reply(a_host(*names), WEB, c.UnikernelRestart(arguments))

    assert wire.payload == r.Failure(text)


@pytest.mark.parametrize(
    ("behaviour", "code", "comes_back"),
    [
        (Quit(), 0, False),
        (RestartOnExit(), 3, True),
        (RestartOnExit(frozenset({1, 2})), 2, True),
        (RestartOnExit(frozenset({1, 2})), 0, False),
    ],
    ids=["quit", "always", "listed code", "other code"],
)
def test_a_unikernel_that_exits_does_as_its_fail_behaviour_says(
    behaviour, code, comes_back
):
    config = Config(image=IMAGE, fail_behaviour=behaviour)
    host, _ = handle(a_host(), ask(WEB, c.UnikernelCreate(config)), NOW)
    old = host.unikernels[WEB]

    host, effects = exited(host, old.process, code, LATER)

    assert (WEB in host.unikernels) is comes_back
    if comes_back:
        new = host.unikernels[WEB]
        assert new.started == LATER
        assert effects == (Start(new),)


def test_the_exit_of_a_process_that_was_replaced_means_nothing():
    before = a_host(WEB)
    old = before.unikernels[WEB].process
    host, _ = handle(before, ask(WEB, c.UnikernelRestart(None)), NOW)

    after, effects = exited(host, old, 1, LATER)

    assert (after, effects) == (host, ())
