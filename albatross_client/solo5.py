"""What a Solo5 image says of itself: for which processor and tender it is.

Laws: whatever the bytes are, the only error is `ImageError`; nothing is read
beyond what the image's own tables name, and these are bounded first.  Bytes
that only begin as an ELF file does are an image that says nothing: hosts that
run no real unikernels take them.
"""

import enum
import struct
from collections.abc import Iterator

from attrs import frozen

MAGIC = b"\x7fELF"
# elf(5): e_ident - 64 bits, little endian, version 1.
_IDENT = bytes((2, 1, 1))
_CLASS_AND_ORDER = frozenset({1, 2})
# elf(5): e_type to e_phnum of Elf64_Ehdr, which follow e_ident's 16 bytes.
_HEADER = struct.Struct("<HHIQQQIHHH")
_HEADER_AT = 16
# elf(5): Elf64_Phdr.
_SEGMENT = struct.Struct("<IIQQQQQQ")
_PT_LOAD, _PT_NOTE = 1, 4
# A unikernel has fewer than ten; a hostile file may name 65,535.
MOST_SEGMENTS = 128
# The two notes that are looked for take less than eight kB.
MOST_NOTE_BYTES = 1024 * 1024
# elf(5): Elf64_Nhdr.
_NOTE = struct.Struct("<III")
# elf_abi.h:ABI1_NOTE_NAME and mft_abi.h:MFT1_NOTE_NAME, with their final zero.
_OWNER = b"Solo5\0"
# elf_abi.h:ABI1_NOTE_TYPE, struct abi1_info without what is reserved.
_ABI1, _ABI = 0x31494241, struct.Struct("<II")
# mft_abi.h:MFT1_NOTE_TYPE, struct mft, which is aligned to 8 bytes.
_MFT1, _MANIFEST, _MANIFEST_ALIGN = 0x3154464D, struct.Struct("<II"), 8
_MANIFEST_VERSION = 1
MOST_DEVICES = 64
# mft_abi.h:struct mft_entry - name and type; what follows is the tender's.
_NAME_BYTES = 68
_ENTRY = struct.Struct(f"<{_NAME_BYTES}sI")
_RESERVED_FIRST = 1 << 30


class ImageError(Exception):
    """No image that a host could run; one sentence for the operator."""


class Architecture(enum.Enum):
    """Which processors run an image."""

    X86_64 = "x86_64"
    AARCH64 = "aarch64"
    PPC64LE = "ppc64le"


# elf(5): e_machine.
_MACHINES = {
    62: Architecture.X86_64,
    183: Architecture.AARCH64,
    21: Architecture.PPC64LE,
}


class Target(enum.Enum):
    """What an image is built to run on: elf_abi.h:abi_target, in its order."""

    HVT = "hvt"
    SPT = "spt"
    VIRTIO = "virtio"
    MUEN = "muen"
    GENODE = "genode"
    XEN = "xen"


# vmm_unix.ml:solo5_image_target - the tenders that Albatross starts.
TENDED = frozenset({Target.HVT, Target.SPT})
_TARGETS = dict(enumerate(Target, 1))


class DeviceKind(enum.Enum):
    """Which kind of device a manifest asks for: mft_abi.h:mft_type."""

    BLOCK = 1
    NET = 2


@frozen
class Device:
    """A device that has to be there when the image starts.

    Attributes:
        name: What the manifest calls it.
        kind: Which kind it is of.
    """

    name: str
    kind: DeviceKind


@frozen(kw_only=True)
class Image:
    """What an image says of itself; None: it doesn't say.

    Attributes:
        architecture: Which processors run it.
        target: What it is built to run on.
        abi_version: Of the interface to that.
        devices: What it asks for, in the order of its manifest.
    """

    architecture: Architecture | None = None
    target: Target | None = None
    abi_version: int | None = None
    devices: tuple[Device, ...] | None = None

    def names(self, kind: DeviceKind) -> frozenset[str] | None:
        """Return the names of the devices of this *kind*."""
        if self.devices is None:
            return None
        return frozenset(d.name for d in self.devices if d.kind is kind)


def read_image(content: bytes) -> Image:
    """Return what the image in *content* says of itself.

    Raises:
        ImageError: No host can run it, or it is cut off or damaged.
    """
    if not content.startswith(MAGIC):
        msg = "is no ELF file, which every Solo5 image is"
        raise ImageError(msg)
    ident = content[len(MAGIC) : len(MAGIC) + len(_IDENT)]
    if len(ident) < len(_IDENT) or not _CLASS_AND_ORDER.issuperset(ident[:2]):
        # Nothing but the magic: what sandboxes take for an image.
        return Image()
    if ident != _IDENT:
        msg = "is no ELF file of 64 bits, little endian, which every Solo5 image is"
        raise ImageError(msg)
    _, machine, _, _, segments_at, _, _, _, size, count = _unpack(
        _HEADER, content, _HEADER_AT
    )
    if machine not in _MACHINES:
        msg = f"is for processors of the ELF number {machine}, on which no host runs"
        raise ImageError(msg)
    segments = tuple(_segments(content, segments_at, size, count))
    notes = dict(_notes(content, segments))
    target, version = _abi(notes.get(_ABI1))
    return Image(
        architecture=_MACHINES[machine],
        target=target,
        abi_version=version,
        devices=_devices(notes.get(_MFT1)),
    )


def _unpack(form: struct.Struct, content: bytes, at: int) -> tuple[int, ...]:
    if not 0 <= at <= len(content) - form.size:
        msg = "is cut off or damaged: a table lies beyond its end"
        raise ImageError(msg)
    return form.unpack_from(content, at)


def _segments(
    content: bytes, begin: int, size: int, count: int
) -> Iterator[tuple[int, int, int]]:
    """Yield each segment's type, and where in the file it begins and ends."""
    if count > MOST_SEGMENTS or (count and size != _SEGMENT.size):
        msg = f"is damaged: {count} segments of {size} bytes each are no unikernel's"
        raise ImageError(msg)
    for number in range(count):
        at = begin + number * size
        kind, _, offset, _, _, length, _, _ = _unpack(_SEGMENT, content, at)
        if kind in {_PT_LOAD, _PT_NOTE} and offset + length > len(content):
            msg = (
                f"is cut off: it has {len(content)} bytes, and its segments reach to "
                f"{offset + length}"
            )
            raise ImageError(msg)
        yield kind, offset, offset + length


def _notes(
    content: bytes, segments: tuple[tuple[int, int, int], ...]
) -> Iterator[tuple[int, tuple[int, bytes]]]:
    """Yield the type of each Solo5 note, where its content begins, and that."""
    for kind, first, end in segments:
        if kind != _PT_NOTE:
            continue
        if end - first > MOST_NOTE_BYTES:
            msg = f"is damaged: {end - first} bytes of notes are no unikernel's"
            raise ImageError(msg)
        at = first
        while at + _NOTE.size <= end:
            name_bytes, length, note = _unpack(_NOTE, content, at)
            name_at = at + _NOTE.size
            begin = name_at + _aligned(name_bytes, 4)
            if begin + length > end:
                msg = "is damaged: a note reaches beyond its segment"
                raise ImageError(msg)
            if content[name_at : name_at + name_bytes] == _OWNER:
                yield note, (begin - at, content[begin : begin + length])
            at = begin + _aligned(length, 4)


def _abi(note: tuple[int, bytes] | None) -> tuple[Target | None, int | None]:
    if note is None:
        return None, None
    number, version = _unpack(_ABI, note[1], 0)
    if number not in _TARGETS:
        msg = f"is damaged, or newer than what is known: it is for the target {number}"
        raise ImageError(msg)
    return _TARGETS[number], version


def _devices(note: tuple[int, bytes] | None) -> tuple[Device, ...] | None:
    if note is None:
        return None
    begin, content = note
    # MFT1_NOTE_ALIGN: the padding lies in what the note's header calls content.
    at = _aligned(begin, _MANIFEST_ALIGN) - begin
    version, count = _unpack(_MANIFEST, content, at)
    at += _MANIFEST.size
    if version != _MANIFEST_VERSION or not 0 < count <= MOST_DEVICES:
        msg = f"is damaged: {count} devices in a manifest of version {version}"
        raise ImageError(msg)
    size, rest = divmod(len(content) - at, count)
    if rest or size < _ENTRY.size:
        msg = "is damaged: its manifest is not as long as it says"
        raise ImageError(msg)
    found: list[Device] = []
    for number in range(count):
        name, kind = _ENTRY.unpack_from(content, at + number * size)
        if kind < _RESERVED_FIRST:
            found.append(_device(name, kind))
    return tuple(found)


def _device(name: bytes, kind: int) -> Device:
    text, _, _ = name.partition(b"\0")
    # mft_abi.h - names are alphanumeric and end with a zero.
    if not text.isalnum() or len(text) == len(name):
        msg = "is damaged: a device in its manifest has no name"
        raise ImageError(msg)
    try:
        return Device(text.decode("ascii"), DeviceKind(kind))
    except ValueError as error:
        msg = f"is damaged, or newer than what is known: a device of the kind {kind}"
        raise ImageError(msg) from error


def _aligned(number: int, to: int) -> int:
    return -(-number // to) * to
