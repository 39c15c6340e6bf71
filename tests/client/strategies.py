"""Every value that can be said on the wire, as hypothesis strategies."""

from hypothesis import strategies as st

from albatross_client import commands as c
from albatross_client import replies as r
from albatross_client import values as v
from albatross_client.names import Name
from tests.client import assemble as a

# Hosts do not check UTF-8: any bytes may come.
texts = st.text(max_size=12) | st.binary(max_size=8).map(
    lambda octets: octets.decode("utf-8", "surrogateescape")
)
# 63 bits, with a liking for the edges of every length.
_edges = st.builds(
    lambda exponent, offset, sign: sign * ((1 << exponent) + offset),
    st.integers(0, 61),
    st.integers(-1, 1),
    st.sampled_from((1, -1)),
)
integers = st.integers(-(1 << 62), (1 << 62) - 1) | _edges
counters = st.integers(-(1 << 63), (1 << 63) - 1) | _edges | st.integers(0, 10**9)
labels = st.from_regex(r"[a-z0-9.][a-z0-9.-]{0,8}", fullmatch=True)
names = st.builds(Name, st.lists(labels, max_size=3).map(tuple), st.none() | labels)
# 0000-01-01 and 9999-12-31T23:59:59.999
timestamps = st.integers(-62_167_219_200_000, 253_402_300_799_999).map(v.Timestamp)
octets = st.binary(max_size=200)
macs = st.binary(min_size=6, max_size=6)
integer_sets = st.frozensets(integers, max_size=5)
fail_behaviours = st.just(v.Quit()) | st.builds(v.RestartOnExit, integer_sets)
argvs = st.none() | st.lists(texts, max_size=4).map(tuple)


def _raw(text):
    return a.utf8(text.encode("utf-8", "surrogateescape"))


def _optional(value, write):
    return b"" if value is None else write(value)


def _in_wire_order(values, encoded):
    """A SET OF comes back sorted by the encodings of its elements."""
    return st.lists(values, max_size=4).map(
        lambda drawn: tuple(sorted(drawn, key=encoded))
    )


def _block_der(block):
    return a.seq(
        _raw(block.name),
        _optional(block.device, _raw),
        _optional(block.sector_size, a.number),
    )


def _interface_der(interface):
    return a.seq(
        _raw(interface.name),
        _optional(interface.bridge, _raw),
        _optional(interface.mac, a.octets),
    )


def _block_info_der(block):
    return a.seq(
        _raw(block.name),
        _raw(block.device),
        a.number(block.sector_size),
        a.number(block.size),
    )


def _interface_info_der(interface):
    return a.seq(_raw(interface.name), _raw(interface.bridge), a.octets(interface.mac))


block_devices = st.builds(v.BlockDevice, texts, st.none() | texts, st.none() | integers)
interfaces = st.builds(v.Interface, texts, st.none() | texts, st.none() | macs)
_arguments = {
    "fail_behaviour": fail_behaviours,
    "startup": st.none() | integers,
    "add_name": st.booleans(),
    "cpuids": integer_sets,
    "memory": integers,
    "blocks": _in_wire_order(block_devices, _block_der),
    "interfaces": _in_wire_order(interfaces, _interface_der),
    "argv": argvs,
    "numcpus": integers,
    "linux_boot_partition": st.none() | texts,
}
arguments = st.builds(v.Arguments, **_arguments)
configs = st.builds(
    v.Config,
    **_arguments,
    typ=st.sampled_from(v.Typ),
    compressed=st.booleans(),
    image=octets,
)
_info = {
    "typ": st.sampled_from(v.Typ),
    "fail_behaviour": fail_behaviours,
    "memory": integers,
    "digest": octets,
    "blocks": _in_wire_order(
        st.builds(v.BlockInfo, texts, texts, integers, integers), _block_info_der
    ),
    "interfaces": _in_wire_order(
        st.builds(v.InterfaceInfo, texts, texts, macs), _interface_info_der
    ),
    "argv": argvs,
    "started": st.none() | timestamps,
}
_one_cpu = st.frozensets(integers, min_size=1, max_size=1)
infos = st.builds(
    v.Info,
    **_info,
    startup=st.none() | integers,
    cpuids=integer_sets,
    numcpus=integers,
    linux_boot_partition=st.none() | texts,
)
infos_5 = st.builds(v.Info, **_info, cpuids=_one_cpu, startup=st.none() | integers)
infos_4 = st.builds(v.Info, **_info, cpuids=_one_cpu)
policies = st.builds(
    v.ResourcePolicy,
    cpuids=integer_sets,
    unikernels=integers,
    memory=integers,
    block=st.none() | integers,
    bridges=st.frozensets(texts, max_size=4),
)
timevals = st.builds(v.Timeval, counters, integers)
rusages = st.builds(
    v.Rusage,
    utime=timevals,
    stime=timevals,
    **dict.fromkeys(
        (
            *("maxrss", "ixrss", "idrss", "isrss", "minflt", "majflt", "nswap"),
            *("inblock", "outblock", "msgsnd", "msgrcv", "nsignals"),
            *("nvcsw", "nivcsw"),
        ),
        counters,
    ),
)
interface_stats = st.builds(
    v.InterfaceStats,
    bridge=texts,
    **dict.fromkeys(
        ("flags", "send_length", "max_send_length", "send_drops", "mtu"), integers
    ),
    **dict.fromkeys(
        (
            *("baudrate", "input_packets", "input_errors", "output_packets"),
            *("output_errors", "collisions", "input_bytes", "output_bytes"),
            *("input_mcast", "output_mcast", "input_dropped", "output_dropped"),
        ),
        counters,
    ),
)
kinfos = st.builds(
    v.KinfoMem,
    **dict.fromkeys(("vsize", "rss", "tsize", "dsize", "ssize", "runtime"), counters),
    cow=integers,
    start=timevals,
)
stats = st.builds(
    v.Stats,
    rusage=rusages,
    interfaces=st.lists(interface_stats, max_size=3).map(tuple),
    vmm=st.none() | st.lists(st.tuples(texts, counters), max_size=3).map(tuple),
    kinfo=st.none() | kinfos,
)


def _unknown(within, taken):
    tags = st.integers(0, 200).filter(lambda tag: tag not in taken)
    inner = st.lists(octets.map(a.octets), max_size=3).map(b"".join)
    return st.builds(
        lambda tag, content: c.Unknown(within, tag, a.context(tag, content)),
        tags,
        inner,
    )


unknown_commands = _unknown("command", {0, 1, 2, 3, 4, 5})
unknown_successes = _unknown("success", {0, 1, 2, 4, 6, 7, 9, 10, 11, 12, 13})
unknown_data = _unknown("data", {1, 2, 3, 4})

bare_commands = st.sampled_from(c.BareCommand.__args__).map(lambda bare: bare())
a_command = st.one_of(
    bare_commands,
    st.builds(c.ConsoleAdd, integers),
    st.builds(c.ConsoleSubscribe, timestamps | integers),
    st.builds(
        c.StatsAdd,
        texts,
        integers,
        st.lists(st.tuples(texts, texts), max_size=3).map(tuple),
    ),
    st.builds(c.UnikernelGet, integers),
    st.builds(c.UnikernelCreate, configs),
    st.builds(c.UnikernelForceCreate, configs),
    st.builds(c.UnikernelRestart, st.none() | arguments),
    st.builds(c.PolicyAdd, policies),
    st.builds(c.BlockAdd, integers),
    st.builds(c.BlockSet, st.booleans()),
    st.builds(c.BlockDump, integers),
    st.builds(c.OldBlockAdd, integers, st.booleans(), st.none() | octets),
    st.builds(c.OldBlockSet, st.booleans(), octets),
    st.builds(c.OldBlockDump, integers),
    unknown_commands,
)


def _named(values):
    return st.lists(st.tuples(names, values), max_size=3).map(tuple)


a_success = st.one_of(
    st.just(r.Done()),
    st.builds(r.Said, texts),
    st.builds(r.Policies, _named(policies)),
    st.builds(
        r.Blocks,
        st.lists(st.builds(r.Block, names, integers, st.booleans()), max_size=3).map(
            tuple
        ),
    ),
    st.builds(r.UnikernelImage, st.booleans(), octets),
    st.builds(r.OldBlockImage, st.booleans(), octets),
    st.builds(r.BlockImage, st.booleans()),
    st.builds(r.Infos, _named(infos)),
    st.builds(r.OldInfos5, _named(infos_5)),
    st.builds(r.OldInfos4, _named(infos_4)),
    st.builds(r.Consoles, st.lists(names, max_size=3).map(tuple)),
    unknown_successes,
)
a_datum = st.one_of(
    st.builds(r.StatsData, stats),
    st.builds(r.ConsoleLine, timestamps, octets),
    st.builds(r.BlockChunk, st.none() | octets),
    unknown_data,
)
headers = st.builds(r.Header, names, counters)
stats_wires = st.builds(r.Wire, headers, st.builds(r.StatsData, stats))
wires = st.builds(
    r.Wire, headers, a_command | a_success | a_datum | st.builds(r.Failure, texts)
)
