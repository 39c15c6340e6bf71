"""The grammar of the protocol, wire version 5, as asn1crypto classes.

Written after Albatross's vmm_asn.ml, releases 2.5 to 2.7.2, whose productions
are named beside ours where the names differ.  Laws: all tags of a CHOICE are
explicit; older forms are here because they are read.  asn1crypto is lenient:
octets go through `albatross_client.der` first.
"""

from collections.abc import Iterator
from typing import Protocol

from asn1crypto import core


class Node(Protocol):
    """What readers use of a parsed element.

    Attributes:
        contents: The octets inside of the innermost tag.
        name: Of a CHOICE, the alternative.
    """

    contents: bytes
    name: str

    @property
    def chosen(self) -> "Node":
        """The value of a CHOICE."""

    def __getitem__(self, field: str) -> "Node": ...

    def __iter__(self) -> Iterator["Node"]: ...


Spec = type[core.Asn1Value]
Field = tuple[str, Spec] | tuple[str, Spec, dict[str, object]]


class Record(core.Sequence):
    """A SEQUENCE that refuses elements after its last field."""

    def _parse_children(self, recurse: bool = False) -> None:  # noqa: FBT001, FBT002 - asn1crypto's signature
        super()._parse_children(recurse)
        if len(self.children) > len(self._fields):
            msg = f"{type(self).__name__} has more elements than fields"
            raise ValueError(msg)


def parse(spec: Spec, octets: bytes) -> Node:
    """Return all of *octets* as *spec*; parts are parsed when asked for.

    Raises:
        ValueError, TypeError: They are something else, now or
            when a part is asked for.
    """
    node: Node = spec.load(octets, strict=True)
    return node


def is_absent(node: Node) -> bool:
    """Tell whether *node* stands for an OPTIONAL element that is not there."""
    return isinstance(node, core.Void)


def record(name: str, *fields: Field) -> Spec:
    """Return a SEQUENCE of *fields*."""
    return type(name, (Record,), {"_fields": list(fields)})


def choice(name: str, *alternatives: tuple[int, str, Spec]) -> Spec:
    """Return a CHOICE between explicit tags, each with a name and a type."""
    tagged = [(label, spec, {"explicit": tag}) for tag, label, spec in alternatives]
    return type(name, (core.Choice,), {"_alternatives": tagged})


def sequence_of(spec: Spec) -> Spec:
    """Return a SEQUENCE OF *spec*."""
    return type("SequenceOf", (core.SequenceOf,), {"_child_spec": spec})


def set_of(spec: Spec) -> Spec:
    """Return a SET OF *spec*; hosts read one in any order."""
    return type("SetOf", (core.SetOf,), {"_child_spec": spec})


def optional(name: str, spec: Spec, tag: int | None = None) -> Field:
    """Return a field that may be absent, maybe with an explicit *tag*."""
    tagging = {} if tag is None else {"explicit": tag}
    return (name, spec, {"optional": True, **tagging})


NULL: Spec = core.Null
BOOLEAN: Spec = core.Boolean
INTEGER: Spec = core.Integer
OCTETS: Spec = core.OctetString
UTF8: Spec = core.UTF8String
TIME: Spec = core.GeneralizedTime

HEADER = record("Header", ("version", INTEGER), ("sequence", OCTETS), ("name", UTF8))

# Parts of several records

TYP = choice("Typ", (0, "solo5", NULL), (1, "bhyve", NULL))
FAIL_BEHAVIOUR = choice(
    "FailBehaviour", (0, "quit", NULL), (1, "restart", set_of(INTEGER))
)
BLOCK_DEVICE = record(
    "BlockDevice",
    ("name", UTF8),
    optional("device", UTF8),
    optional("sector_size", INTEGER),
)
INTERFACE = record(
    "Interface", ("name", UTF8), optional("bridge", UTF8), optional("mac", OCTETS)
)
_TYP: tuple[Field, ...] = (("typ", TYP),)
_IMAGE: tuple[Field, ...] = (*_TYP, ("compressed", BOOLEAN), ("image", OCTETS))
_STARTUP = optional("startup", INTEGER)
_NAMING: tuple[Field, ...] = (_STARTUP, ("add_name", BOOLEAN))
_FAIL: tuple[Field, ...] = (("fail_behaviour", FAIL_BEHAVIOUR),)
_ONE_CPU: tuple[Field, ...] = (("cpuid", INTEGER), ("memory", INTEGER))
_CPUS: tuple[Field, ...] = (("cpuids", set_of(INTEGER)), ("memory", INTEGER))
_DEVICES = (
    optional("blocks", set_of(BLOCK_DEVICE), 0),
    optional("bridges", set_of(INTERFACE), 1),
    optional("argv", sequence_of(UTF8), 2),
)
_BHYVE = (
    optional("numcpus", INTEGER, 3),
    optional("linux_boot_partition", UTF8, 4),
)

# unikernel_config; v4 has one CPU, v3 neither startup nor add_name
CONFIG = record("Config", *_IMAGE, *_NAMING, *_FAIL, *_CPUS, *_DEVICES, *_BHYVE)
CONFIG_V4 = record("ConfigV4", *_IMAGE, *_NAMING, *_FAIL, *_ONE_CPU, *_DEVICES)
CONFIG_V3 = record("ConfigV3", *_IMAGE, *_FAIL, *_ONE_CPU, *_DEVICES)
# unikernel_arguments, and the two older forms
ARGUMENTS = record("Arguments", *_FAIL, *_NAMING, *_CPUS, *_DEVICES, *_BHYVE)
ARGUMENTS_V1 = record("ArgumentsV1", *_FAIL, *_NAMING, *_ONE_CPU, *_DEVICES)
ARGUMENTS_V0 = record("ArgumentsV0", *_FAIL, *_ONE_CPU, *_DEVICES)

# Commands (wire_command and its parts)

CONSOLE = choice(
    "Console",
    (0, "add", INTEGER),
    (2, "subscribe", choice("Since", (0, "since", TIME), (1, "count", INTEGER))),
    (3, "list_inactive", NULL),
)
TAP = record("Tap", ("bridge", UTF8), ("tap", UTF8))
STATS = choice(
    "Stats",
    (
        0,
        "add",
        record(
            "StatsAdd",
            ("vmmdev", UTF8),
            ("pid", INTEGER),
            ("network", sequence_of(TAP)),
        ),
    ),
    (1, "remove", NULL),
    (2, "subscribe", NULL),
    (3, "initial", NULL),
)
RESTART = choice(
    "Restart",
    (0, "same", NULL),
    (1, "arguments_v0", ARGUMENTS_V0),
    (2, "arguments_v1", ARGUMENTS_V1),
    (3, "arguments", ARGUMENTS),
)
UNIKERNEL = choice(
    "Unikernel",
    (3, "destroy", NULL),
    (9, "create_v3", CONFIG_V3),
    (10, "force_create_v3", CONFIG_V3),
    (11, "get", INTEGER),
    (14, "restart", RESTART),
    (15, "old_info4", NULL),
    (16, "create_v4", CONFIG_V4),
    (17, "force_create_v4", CONFIG_V4),
    (18, "old_info5", NULL),
    (19, "info", NULL),
    (20, "create", CONFIG),
    (21, "force_create", CONFIG),
)
POLICY = record(
    "Policy",
    ("cpuids", sequence_of(INTEGER)),
    ("unikernels", INTEGER),
    ("memory", INTEGER),
    optional("block", INTEGER),
    ("bridges", sequence_of(UTF8)),
)
POLICY_COMMAND = choice(
    "PolicyCommand", (0, "info", NULL), (1, "add", POLICY), (2, "remove", NULL)
)
IMAGE = record("Image", ("compressed", BOOLEAN), ("image", OCTETS))
BLOCK = choice(
    "Block",
    (0, "info", NULL),
    (1, "add", INTEGER),
    (2, "remove", NULL),
    (
        3,
        "old_add",
        record(
            "OldBlockAdd",
            ("size", INTEGER),
            ("compressed", BOOLEAN),
            optional("content", OCTETS),
        ),
    ),
    (4, "old_set", IMAGE),
    (5, "old_dump", INTEGER),
    (6, "dump", INTEGER),
    (7, "set", BOOLEAN),
)
COMMAND = choice(
    "Command",
    (0, "console", CONSOLE),
    (1, "stats", STATS),
    (3, "unikernel", UNIKERNEL),
    (4, "policy", POLICY_COMMAND),
    (5, "block", BLOCK),
)

# What success replies carry

_INFO_DEVICES = (
    ("digest", OCTETS),
    optional(
        "blocks",
        set_of(
            record(
                "BlockInfo",
                ("name", UTF8),
                ("device", UTF8),
                ("sector_size", INTEGER),
                ("size", INTEGER),
            )
        ),
        0,
    ),
    optional(
        "bridges",
        set_of(
            record("InterfaceInfo", ("name", UTF8), ("bridge", UTF8), ("mac", OCTETS))
        ),
        1,
    ),
    optional("argv", sequence_of(UTF8), 2),
    optional("started", TIME, 3),
)
_INFO_BHYVE = (
    optional("numcpus", INTEGER, 4),
    optional("linux_boot_partition", UTF8, 5),
)
INFO = record("Info", *_TYP, _STARTUP, *_FAIL, *_CPUS, *_INFO_DEVICES, *_INFO_BHYVE)
INFO_5 = record("Info5", *_TYP, _STARTUP, *_FAIL, *_ONE_CPU, *_INFO_DEVICES)
INFO_4 = record("Info4", *_TYP, *_FAIL, *_ONE_CPU, *_INFO_DEVICES)


def _pair(label: str, spec: Spec) -> Spec:
    """Return a pair: a name, and what it names."""
    return record(f"Named{label}", ("name", UTF8), (label.lower(), spec))


NAMED_INFO = _pair("Info", INFO)

SUCCESS = choice(
    "Success",
    (0, "empty", NULL),
    (1, "string", UTF8),
    (2, "policies", sequence_of(_pair("Policy", POLICY))),
    (
        4,
        "blocks",
        sequence_of(
            record("NamedBlock", ("name", UTF8), ("size", INTEGER), ("active", BOOLEAN))
        ),
    ),
    (6, "image", IMAGE),
    (7, "old_block_image", IMAGE),
    (9, "old_infos4", sequence_of(_pair("Info", INFO_4))),
    (10, "block_image", BOOLEAN),
    (11, "old_infos5", sequence_of(_pair("Info", INFO_5))),
    (12, "consoles", sequence_of(UTF8)),
    (13, "infos", sequence_of(NAMED_INFO)),
)

# Data of subscriptions and dumps

RUSAGE_COUNTERS = (
    *("maxrss", "ixrss", "idrss", "isrss", "minflt", "majflt", "nswap"),
    *("inblock", "outblock", "msgsnd", "msgrcv", "nsignals", "nvcsw", "nivcsw"),
)
INTERFACE_SETTINGS = ("flags", "send_length", "max_send_length", "send_drops", "mtu")
INTERFACE_COUNTERS = (
    *("baudrate", "input_packets", "input_errors", "output_packets"),
    *("output_errors", "collisions", "input_bytes", "output_bytes"),
    *("input_mcast", "output_mcast", "input_dropped", "output_dropped"),
)
KINFO_COUNTERS = ("vsize", "rss", "tsize", "dsize", "ssize", "runtime")

# timeval, ru, ifdata, kinfo_mem: 64-bit counters are octets, big-endian
TIMEVAL = record("Timeval", ("seconds", OCTETS), ("microseconds", INTEGER))
RUSAGE = record(
    "Rusage",
    ("utime", TIMEVAL),
    ("stime", TIMEVAL),
    *((name, OCTETS) for name in RUSAGE_COUNTERS),
)
INTERFACE_STATS = record(
    "InterfaceStats",
    ("bridge", UTF8),
    *((name, INTEGER) for name in INTERFACE_SETTINGS),
    *((name, OCTETS) for name in INTERFACE_COUNTERS),
)
KINFO = record(
    "Kinfo",
    *((name, OCTETS) for name in KINFO_COUNTERS),
    ("cow", INTEGER),
    ("start", TIMEVAL),
)
STATS_DATA = record(
    "StatsData",
    ("rusage", RUSAGE),
    ("ifdata", sequence_of(INTERFACE_STATS)),
    optional(
        "vmm", sequence_of(record("Counter", ("key", UTF8), ("value", OCTETS))), 0
    ),
    # The one implicit tag of the protocol
    ("kinfo", KINFO, {"implicit": 1, "optional": True}),
)
CONSOLE_LINE = record("ConsoleLine", ("timestamp", TIME), ("text", UTF8))
DATA = choice(
    "Data",
    (1, "stats", STATS_DATA),
    (3, "console", CONSOLE_LINE),
    (4, "block", choice("BlockChunk", (0, "some", OCTETS), (1, "none", NULL))),
)
