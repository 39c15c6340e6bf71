"""How values of hosts are shown: as JSON and as text.

Laws: no I/O.  The shapes of JSON are stable: names are text, digests and MAC
addresses hex, sizes in MB say so in their key, instants are RFC 3339, and what
a host doesn't tell is null.  Text from hosts never reaches a terminal as
control characters, nor without end.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import assert_never

from albatross_client.heard import Heard
from albatross_client.names import Name
from albatross_client.replies import (
    Block,
    ConsoleLine,
)
from albatross_client.texts import clean
from albatross_client.values import (
    US_PER_S,
    FailBehaviour,
    Info,
    Quit,
    ResourcePolicy,
    RestartOnExit,
    Timestamp,
)

Json = Mapping[str, object]
_NOTHING = "-"
# Of a console; a program that wants all of a longer one reads JSON.
_LONGEST_LINE = 4096


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return an aligned table, one line per row, the header first."""
    lines = [list(header), *([clean(cell) for cell in row] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) for cell, width in zip(line, widths, strict=True)
        ).rstrip()
        for line in lines
    )


def info_json(name: Name, info: Info) -> Json:
    """Return what runs as *name*."""
    return {
        "name": str(name),
        "type": info.typ.value,
        "cpuids": sorted(info.cpuids),
        "numcpus": info.numcpus,
        "memory_mb": info.memory,
        "digest": info.digest.hex(),
        "started": None if info.started is None else instant(info.started),
        "startup": info.startup,
        "restart_on_exit": _restart_json(info.fail_behaviour),
        "arguments": None if info.argv is None else list(info.argv),
        "blocks": [
            {
                "name": block.name,
                "device": block.device,
                "sector_bytes": block.sector_size,
                "size_mb": block.size,
            }
            for block in info.blocks
        ],
        "interfaces": [
            {"name": each.name, "bridge": each.bridge, "mac": each.mac.hex(":")}
            for each in info.interfaces
        ],
        "linux_boot_partition": info.linux_boot_partition,
    }


def info_row(name: Name, info: Info) -> tuple[str, ...]:
    """Return the cells below `INFO_HEADER`."""
    return (
        str(name),
        info.typ.value,
        numbers(info.cpuids),
        str(info.memory),
        _NOTHING if info.started is None else instant(info.started),
        info.digest.hex()[:16] or _NOTHING,
        " ".join(each.bridge for each in info.interfaces) or _NOTHING,
        " ".join(each.device for each in info.blocks) or _NOTHING,
        " ".join(info.argv or ()) or _NOTHING,
    )


INFO_HEADER = (
    "NAME",
    "TYPE",
    "CPUS",
    "MB",
    "STARTED",
    "IMAGE",
    "BRIDGES",
    "BLOCKS",
    "ARGUMENTS",
)


def policy_json(domain: Name, policy: ResourcePolicy) -> Json:
    """Return what *domain* may use."""
    return {
        "domain": str(domain),
        "unikernels": policy.unikernels,
        "cpuids": sorted(policy.cpuids),
        "memory_mb": policy.memory,
        "block_mb": policy.block,
        "bridges": sorted(policy.bridges),
    }


def policy_row(domain: Name, policy: ResourcePolicy) -> tuple[str, ...]:
    """Return the cells below `POLICY_HEADER`."""
    return (
        str(domain),
        str(policy.unikernels),
        numbers(policy.cpuids),
        str(policy.memory),
        _NOTHING if policy.block is None else str(policy.block),
        " ".join(sorted(policy.bridges)) or _NOTHING,
    )


POLICY_HEADER = ("DOMAIN", "UNIKERNELS", "CPUS", "MB", "BLOCK-MB", "BRIDGES")


def block_json(block: Block) -> Json:
    """Return one block device."""
    return {"name": str(block.name), "size_mb": block.size, "active": block.active}


def block_row(block: Block) -> tuple[str, ...]:
    """Return the cells below `BLOCK_HEADER`."""
    return (str(block.name), str(block.size), "yes" if block.active else "no")


BLOCK_HEADER = ("NAME", "MB", "USED")


def heard_json(heard: Heard, received: Timestamp) -> Json:
    """Return one reading; counters are cumulative."""
    sample = heard.sample
    return {
        "name": str(heard.name),
        "received": instant(received),
        "cpu_us": sample.cpu_us,
        "runtime_us": sample.runtime_us,
        "minflt": sample.minflt,
        "majflt": sample.majflt,
        "nvcsw": sample.nvcsw,
        "nivcsw": sample.nivcsw,
        "rss_pages": sample.rss_pages,
        "packets_in": sample.packets_in,
        "packets_out": sample.packets_out,
        "bytes_in": sample.bytes_in,
        "bytes_out": sample.bytes_out,
    }


def heard_text(heard: Heard, before: Heard | None, received: Timestamp) -> str:
    """Return one line below `STATS_HEADER`; the share of one CPU needs two."""
    sample = heard.sample
    cells = (
        instant(received),
        _NOTHING if before is None else _percent(heard, before),
        _NOTHING if sample.rss_pages is None else str(sample.rss_pages),
        # What hosts call input is what the unikernel has sent.
        str(sample.bytes_in),
        str(sample.bytes_out),
        clean(str(heard.name)),
    )
    return _STATS_LINE.format(*cells)


_STATS_LINE = "{:<24}  {:>6}  {:>9}  {:>12}  {:>12}  {}"
STATS_HEADER = _STATS_LINE.format(
    "TIME", "CPU-%", "RSS-PAGES", "BYTES-SENT", "BYTES-RECVD", "NAME"
)


def console_json(line: ConsoleLine) -> Json:
    """Return one line; `text` is null where it isn't UTF-8."""
    try:
        text = line.text.decode("utf-8")
    except UnicodeDecodeError:
        return {"time": instant(line.timestamp), "text": None, "hex": line.text.hex()}
    return {"time": instant(line.timestamp), "text": text, "hex": None}


def console_text(line: ConsoleLine) -> str:
    """Return one line for a terminal."""
    text = line.text.decode("utf-8", "backslashreplace").rstrip("\r\n")
    return f"{instant(line.timestamp)} {clean(text, _LONGEST_LINE)}"


def instant(when: Timestamp) -> str:
    """Return *when* as RFC 3339 with milliseconds."""
    try:
        moment = when.to_datetime()
    except OverflowError:
        return f"{when.milliseconds} ms"
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{when.milliseconds % 1000:03d}Z"


def numbers(values: Iterable[int]) -> str:
    """Return *values* in order, runs as ranges: ``0-3,6``; long sets fit."""
    runs: list[tuple[int, int]] = []
    for value in sorted(values):
        if runs and runs[-1][1] == value - 1:
            runs[-1] = (runs[-1][0], value)
        else:
            runs.append((value, value))
    texts = (str(low) if low == high else f"{low}-{high}" for low, high in runs)
    return ",".join(texts) or _NOTHING


def _percent(heard: Heard, before: Heard) -> str:
    seconds = heard.at - before.at
    spent = (heard.sample.cpu_us - before.sample.cpu_us) / US_PER_S
    if seconds <= 0 or spent < 0:
        return _NOTHING
    return f"{100 * spent / seconds:.1f}"


def _restart_json(behaviour: FailBehaviour) -> object:
    """Return null (quit), an empty list (every code) or the exit codes."""
    match behaviour:
        case Quit():
            return None
        case RestartOnExit(codes):
            return sorted(codes)
        case _:
            assert_never(behaviour)
