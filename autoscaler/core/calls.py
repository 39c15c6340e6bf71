"""What signals call for, in words and as fields of a line."""

from collections.abc import Mapping
from typing import assert_never

from autoscaler.core.decision import Decision
from autoscaler.core.demand import Signal, SignalKind


def signal_fields(decision: Decision) -> Mapping[str, str | int | float | None]:
    """Return the value of every signal, and which of them decided."""
    signal = decision.signal
    values = {f"signal_{s.kind.value}": round(s.value, 2) for s in decision.signals}
    if signal is None:
        return values
    return {
        "wanted": decision.wanted,
        "signal": signal.kind.value,
        "signal_value": round(signal.value, 2),
        "signal_target": signal.target,
        **values,
    }


def describe_signal(signal: Signal) -> str:
    """Return in words what *signal* calls for."""
    value, target = f"{signal.value:.1f}".removesuffix(".0"), f"{signal.target:g}"
    requests = "request" if value == "1" else "requests"
    match signal.kind:
        case SignalKind.IN_FLIGHT:
            what = f"{value} {requests} in flight ({target} each)"
        case SignalKind.RPS:
            what = f"{value} {requests} a second ({target} each)"
        case SignalKind.QUEUE_MS:
            what = f"{value} ms in the queue (at most {target})"
        case SignalKind.CPU:
            what = f"a mean usage of {value} % (limit {target} %)"
        case _:
            assert_never(signal.kind)
    wanted = "1 member is" if signal.wanted == 1 else f"{signal.wanted} members are"
    return f"{wanted} wanted for {what}"


def describe_call(decision: Decision) -> str | None:
    """Return in words what is called for, None where nothing was told."""
    if decision.signal is None:
        return None
    members = decision.load.capacity
    there = f"there is {members}" if members == 1 else f"there are {members}"
    return f"{describe_signal(decision.signal)}, and {there}"
