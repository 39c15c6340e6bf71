"""Post-mortems in words, for the page and the terminal.

Laws: no I/O; whatever a host has said is printable and bounded here.
"""

import json
import shlex
from collections.abc import Callable, Iterator, Mapping

from albatross_client.texts import clean
from autoscaler.shell.acting.inquest import LATEST_S
from autoscaler.shell.operators.times import format_time
from autoscaler.shell.state.mortems import DIED, PostMortem

# A clone that is restarted by its host is heard again.
HOW = "silent and no longer listed"
_US_PER_S, _PS_PER_US = 1_000_000, 1_000_000
_US_PER_DAY = 86_400 * _US_PER_S


def tell_end(mortem: PostMortem) -> str:
    """Return what happened to the clone, and by which rule."""
    why = mortem.why.replace("_", " ")
    if mortem.why == DIED:
        return f"died: {HOW}"
    return f"destroyed: {why}" if mortem.failure is None else f"failed: {why}"


def tell_facts(mortem: PostMortem) -> Iterator[tuple[str, str]]:
    """Yield what was last known of the clone: what it is, and the value."""
    if mortem.failure is not None:
        yield "failure", mortem.failure
    if mortem.decision_id is not None:
        yield "decision", mortem.decision_id
    if mortem.usage is not None:
        yield "usage", f"{mortem.usage:.1f} % of one CPU"
    for key, count in (mortem.stats or {}).items():
        if count is not None:
            label, form = _STATS.get(key, (key.replace("_", " "), str))
            yield label, form(count)
    for key, value in mortem.facts.items():
        if value is not None and value != []:
            label, tell = _INFO.get(key, (key.replace("_", " "), _plain))
            yield label, clean(tell(value))


def _seconds(microseconds: int) -> str:
    return f"{microseconds / _US_PER_S:.2f} s"


def _instant(microseconds: int) -> str:
    # A host may say anything, and no calendar goes further.
    return format_time(min(max(0.0, microseconds / _US_PER_S), LATEST_S))


# stats.py, Sample - seen from the host, "in" is what a unikernel has sent.
_STATS: Mapping[str, tuple[str, Callable[[int], str]]] = {
    "cpu_us": ("CPU time", _seconds),
    "runtime_us": ("CPU time of its process", _seconds),
    "start_us": ("process started", _instant),
    "minflt": ("page faults without I/O", str),
    "majflt": ("page faults with I/O", str),
    "nvcsw": ("voluntary context switches", str),
    "nivcsw": ("involuntary context switches", str),
    "rss_pages": ("resident memory", lambda pages: f"{pages} pages"),
    "packets_in": ("packets sent", str),
    "packets_out": ("packets received", str),
    "bytes_in": ("bytes sent", str),
    "bytes_out": ("bytes received", str),
}


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _listed(value: object) -> str:
    if not isinstance(value, list):
        return _plain(value)
    return ", ".join(map(_plain, value))


def _arguments(value: object) -> str:
    if not isinstance(value, list):
        return _plain(value)
    return shlex.join(map(str, value))


def _started(value: object) -> str:
    # forms.py, write_time
    match value:
        case {"days": int(days), "picoseconds": int(picoseconds)}:
            return _instant(days * _US_PER_DAY + picoseconds // _PS_PER_US)
        case _:
            return _plain(value)


def _devices(value: object) -> str:
    """Return networks or block devices, each with what it is on the host."""
    return "; ".join(map(_device, value)) if isinstance(value, list) else _plain(value)


def _device(value: object) -> str:
    match value:
        case {"name": str(name), "bridge": str(bridge), "mac": str(mac)}:
            return f"{name} on {bridge}, {mac}"
        case {"name": str(name), "device": str(device)}:
            return f"{name} on {device}"
        case _:
            return _plain(value)


def _at_its_end(value: object) -> str:
    match value:
        case {"quit": _}:
            return "it stays away"
        case {"restart": []}:
            return "it is started again"
        case {"restart": list(codes)}:
            return f"it is started again after exit codes {_listed(codes)}"
        case _:
            return _plain(value)


_INFO: Mapping[str, tuple[str, Callable[[object], str]]] = {
    "typ": ("type", _plain),
    "fail_behaviour": ("when it exits", _at_its_end),
    "startup": ("startup priority", _plain),
    "cpuids": ("CPUs", _listed),
    "memory": ("memory", lambda value: f"{_plain(value)} MB"),
    "blocks": ("block devices", _devices),
    "bridges": ("networks", _devices),
    "argv": ("arguments", _arguments),
    "digest_hex": ("image", lambda value: f"SHA-256 {_plain(value)}"),
    "started": ("started", _started),
    "numcpus": ("number of CPUs", _plain),
}
