"""Solo5 images without code: headers, segments and notes."""

import struct

from attrs import frozen

HVT, SPT, XEN = 1, 2, 6
X86_64, AARCH64, I386 = 62, 183, 3
BLOCK, NET, RESERVED = 1, 2, 1 << 30
HEADER_BYTES, SEGMENT_BYTES, ENTRY_BYTES = 64, 56, 104
PT_LOAD, PT_NOTE = 1, 4
# What an image of an HTTP server asks for: the first entry is the tender's.
DEVICES = ((b"", RESERVED), (b"service", NET), (b"data", BLOCK))


@frozen
class Segment:
    """A segment; *length* is what its header says of *content*."""

    kind: int
    content: bytes
    length: int | None = None


def note(kind: int, content: bytes, owner: bytes = b"Solo5\0") -> bytes:
    padded = owner + bytes(-len(owner) % 4)
    header = struct.pack("<III", len(owner), len(content), kind)
    return header + padded + content + bytes(-len(content) % 4)


def abi(target: int = HVT, version: int = 2) -> bytes:
    return note(0x31494241, struct.pack("<IIII", target, version, 0, 0))


def manifest(
    devices: tuple[tuple[bytes, int], ...] = DEVICES, version: int = 1
) -> bytes:
    entries = b"".join(
        struct.pack("<68sI", name, kind) + bytes(ENTRY_BYTES - 72)
        for name, kind in devices
    )
    # The manifest itself is aligned to 8 bytes, its note is not.
    head = bytes(4) + struct.pack("<II", version, len(devices))
    return note(0x3154464D, head + entries)


def elf(*segments: Segment, machine: int = X86_64, ident: bytes = b"\2\1\1") -> bytes:
    at = HEADER_BYTES + SEGMENT_BYTES * len(segments)
    headers, contents = b"", b""
    for each in segments:
        length = len(each.content) if each.length is None else each.length
        headers += struct.pack(
            "<IIQQQQQQ", each.kind, 4, at + len(contents), 0, 0, length, length, 4
        )
        contents += each.content
    header = struct.pack(
        "<HHIQQQIHHH",
        *(2, machine, 1, 0x100000, HEADER_BYTES, 0, 0),
        *(HEADER_BYTES, SEGMENT_BYTES, len(segments)),
    )
    start = b"\x7fELF" + ident + bytes(9) + header
    return start + bytes(HEADER_BYTES - len(start)) + headers + contents


def unikernel(
    *, target: int = HVT, machine: int = X86_64, devices=DEVICES, code: bytes = b""
) -> bytes:
    """Return an image that a host would start, but for its code."""
    notes = note(3, b"build", b"GNU\0") + abi(target) + manifest(devices)
    return elf(
        Segment(PT_LOAD, b"\xf4" * 16 + code), Segment(PT_NOTE, notes), machine=machine
    )
