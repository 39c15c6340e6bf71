"""What messages are made of, those of older releases too."""

from albatross_client import replies as r
from albatross_client import values as v
from albatross_client.names import Name
from tests.client import assemble as a

HEADER = r.Header(Name((), "web"))


def wrapped(payload):
    return r.Wire(HEADER, payload)


# Older forms: read, never written

OLD_BLOCKS = a.context(0, a.a_set(a.seq(a.utf8("storage"), a.utf8("disk"))))
OLD_BRIDGES = a.context(1, a.a_set(a.seq(a.utf8("service"))))
OLD_ARGV = a.context(2, a.seq(a.utf8("--x=1")))
OLD_DEVICES = OLD_BLOCKS + OLD_BRIDGES + OLD_ARGV
SOLO5 = a.context(0, a.NULL)
QUIT = a.context(0, a.NULL)
RESTART = a.context(1, a.a_set(a.number(1)))


def old_config(*startup, devices=OLD_DEVICES):
    return a.seq(
        *(SOLO5, a.TRUE, a.octets(b"\x7fELF")),
        *startup,
        *(RESTART, a.number(3), a.number(64)),
        devices,
    )


INFO = v.Info(
    fail_behaviour=v.Quit(),
    cpuids=frozenset({3}),
    memory=64,
    digest=b"digest",
    interfaces=(v.InterfaceInfo("service", "br0", b"abcdef"),),
    started=v.Timestamp(1_787_393_472_000),
)
