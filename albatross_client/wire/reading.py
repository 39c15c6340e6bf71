"""From parsed elements to values: leaves, and what several messages share.

Laws: an element that breaks the grammar raises ValueError, or what asn1crypto
raises; `albatross_client.wire` makes one error of them.
"""

from collections.abc import Callable, Iterator
from typing import Final, TypeVar

from albatross_client import der
from albatross_client.grammar import Node, is_absent
from albatross_client.names import Name
from albatross_client.values import (
    FailBehaviour,
    Quit,
    ResourcePolicy,
    RestartOnExit,
    Typ,
)

T = TypeVar("T")

I64_BYTES: Final = 8
# asn.ml:int - an OCaml int has 63 bits.
MIN_INTEGER: Final = -(1 << 62)
MAX_INTEGER: Final = (1 << 62) - 1


def integer(node: Node) -> int:
    """Read an INTEGER within signed 63 bits."""
    return _integer(node.contents)


def _integer(contents: bytes) -> int:
    number = int.from_bytes(contents, "big", signed=True)
    if not MIN_INTEGER <= number <= MAX_INTEGER:
        msg = "an INTEGER exceeds 63 bits"
        raise ValueError(msg)
    return number


def integer64(node: Node) -> int:
    """Read a 64-bit counter; of more than 8 octets hosts take the first 8."""
    if len(node.contents) < I64_BYTES:
        msg = f"a 64-bit counter has {len(node.contents)} bytes"
        raise ValueError(msg)
    return int.from_bytes(node.contents[:I64_BYTES], "big", signed=True)


def text(node: Node) -> str:
    """Read a UTF8String.

    Hosts do not check the encoding: one tenant's odd argument must not hide
    all other unikernels, so foreign bytes are kept as lone surrogates
    (PEP 383) and written back as they were.
    """
    return node.contents.decode("utf-8", "surrogateescape")


def boolean(node: Node) -> bool:
    """Read a BOOLEAN; every octet but 00 is true."""
    return node.contents != b"\x00"


def octets(node: Node) -> bytes:
    """Read an OCTET STRING."""
    return node.contents


def name(node: Node) -> Name:
    """Read the text of a name."""
    return Name.parse(text(node))


def optionally(node: Node, read: Callable[[Node], T]) -> T | None:
    """Read *node* with *read*, or give None where it is absent."""
    return None if is_absent(node) else read(node)


def listed(node: Node, read: Callable[[Node], T]) -> tuple[T, ...]:
    """Read each element of *node*; an absent list is empty."""
    return () if is_absent(node) else tuple(map(read, node))


def elements(node: Node) -> Iterator[der.Header]:
    """Yield the header of each element in the contents of *node*."""
    at, end = 0, len(node.contents)
    while at < end:
        header = der.read_header(node.contents, at, end)
        yield header
        at = header[3]


def integers(node: Node) -> frozenset[int]:
    """Read a SEQUENCE OF or SET OF INTEGER.

    A policy names every CPU of its host: as parsed elements, 3 us each, they
    would take longer than the rest of a reply together.
    """
    content, numbers = node.contents, []
    for first, _, start, stop in elements(node):
        if first != der.INTEGER:
            msg = f"tag {first:#04x} stands where an INTEGER is due"
            raise ValueError(msg)
        numbers.append(_integer(content[start:stop]))
    return frozenset(numbers)


def fail_behaviour(node: Node) -> FailBehaviour:
    """Read what happens when a unikernel exits."""
    if node.name == "quit":
        return Quit()
    return RestartOnExit(integers(node.chosen))


def typ(node: Node) -> Typ:
    """Read what runs a unikernel."""
    return Typ(node.name)


def one_cpu(node: Node) -> frozenset[int]:
    """Read the one CPU of older forms as the set of today's."""
    return frozenset({integer(node["cpuid"])})


def cpus(node: Node) -> frozenset[int]:
    """Read the CPUs that a unikernel is pinned to."""
    return integers(node["cpuids"])


def argv(node: Node) -> tuple[str, ...] | None:
    """Read arguments; none and no arguments differ."""
    return optionally(node["argv"], lambda strings: listed(strings, text))


def numcpus(node: Node) -> int:
    """Read virtual CPUs; hosts always write them and read none as one."""
    return 1 if is_absent(node["numcpus"]) else integer(node["numcpus"])


def policy(node: Node) -> ResourcePolicy:
    """Read a domain's policy."""
    return ResourcePolicy(
        cpuids=cpus(node),
        unikernels=integer(node["unikernels"]),
        memory=integer(node["memory"]),
        block=optionally(node["block"], integer),
        bridges=frozenset(listed(node["bridges"], text)),
    )
