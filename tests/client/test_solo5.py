"""Tests of what images say of themselves."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from albatross_client.sandbox.embed import SANDBOX_IMAGE
from albatross_client.solo5 import (
    Architecture,
    Device,
    DeviceKind,
    Image,
    ImageError,
    Target,
    read_image,
)
from tests.client.images import (
    AARCH64,
    HVT,
    I386,
    NET,
    PT_LOAD,
    PT_NOTE,
    SPT,
    XEN,
    Segment,
    abi,
    elf,
    manifest,
    note,
    unikernel,
)


def test_an_image_says_for_which_processors_and_tender_it_is_and_what_it_needs():
    assert read_image(unikernel()) == Image(
        architecture=Architecture.X86_64,
        target=Target.HVT,
        abi_version=2,
        devices=(Device("service", DeviceKind.NET), Device("data", DeviceKind.BLOCK)),
    )


@pytest.mark.parametrize(
    ("number", "architecture"),
    [
        (62, Architecture.X86_64),
        (AARCH64, Architecture.AARCH64),
        (21, Architecture.PPC64LE),
    ],
)
def test_each_architecture_is_known_by_its_number(number, architecture):
    assert read_image(unikernel(machine=number)).architecture is architecture


@pytest.mark.parametrize(
    ("number", "target"), [(HVT, Target.HVT), (SPT, Target.SPT), (XEN, Target.XEN)]
)
def test_each_target_is_known_by_its_number(number, target):
    assert read_image(unikernel(target=number)).target is target


def test_devices_are_told_by_kind():
    image = read_image(unikernel())

    assert image.names(DeviceKind.NET) == frozenset({"service"})
    assert image.names(DeviceKind.BLOCK) == frozenset({"data"})


def test_an_image_without_notes_says_only_what_its_header_says():
    image = read_image(elf(Segment(PT_LOAD, b"code")))

    assert image == Image(architecture=Architecture.X86_64)
    assert image.names(DeviceKind.NET) is None


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(SANDBOX_IMAGE, id="of the sandbox"),
        pytest.param(b"\x7fELF", id="only the magic"),
        pytest.param(b"\x7fELF\2\1", id="half an identity"),
        pytest.param(b"\x7fELF\2\3\1", id="no byte order"),
    ],
)
def test_what_only_begins_as_an_image_says_nothing(content):
    assert read_image(content) == Image()


ONE_DEVICE = ((b"service", NET),)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        pytest.param(b"", "is no ELF file", id="nothing"),
        pytest.param(b"#!/bin/sh", "is no ELF file", id="a script"),
        pytest.param(elf(ident=b"\1\1\1"), "64 bits", id="32 bits"),
        pytest.param(elf(ident=b"\2\2\1"), "little endian", id="big endian"),
        pytest.param(elf(machine=I386), "the ELF number 3", id="another processor"),
        pytest.param(unikernel()[:40], "is cut off", id="half a header"),
        pytest.param(unikernel()[:100], "is cut off", id="half a table"),
        pytest.param(unikernel()[:-1], "its segments reach to", id="half a segment"),
        pytest.param(
            elf(*[Segment(9, b"")] * 129), "129 segments", id="very many segments"
        ),
        pytest.param(
            elf(Segment(PT_NOTE, bytes(1024 * 1024 + 1))),
            "bytes of notes",
            id="very long notes",
        ),
        pytest.param(
            elf(Segment(PT_NOTE, abi()[:-4])), "a note reaches beyond", id="half a note"
        ),
        pytest.param(
            elf(Segment(PT_NOTE, abi(7))), "it is for the target 7", id="a new target"
        ),
        pytest.param(
            elf(Segment(PT_NOTE, note(0x31494241, b"1234"))), "cut off", id="no target"
        ),
        pytest.param(
            elf(Segment(PT_NOTE, manifest(version=2))),
            "of version 2",
            id="another manifest",
        ),
        pytest.param(
            elf(Segment(PT_NOTE, manifest(()))), "0 devices", id="an empty manifest"
        ),
        pytest.param(
            elf(Segment(PT_NOTE, manifest(ONE_DEVICE * 65))),
            "65 devices",
            id="very many devices",
        ),
        pytest.param(
            elf(Segment(PT_NOTE, note(0x3154464D, bytes(4) + b"\1\0\0\0" * 2))),
            "not as long as it says",
            id="no entries",
        ),
        pytest.param(
            elf(Segment(PT_NOTE, note(0x3154464D, b""))), "cut off", id="no manifest"
        ),
        pytest.param(
            elf(Segment(PT_NOTE, manifest(((b"", NET),)))),
            "has no name",
            id="a device without a name",
        ),
        pytest.param(
            elf(Segment(PT_NOTE, manifest(((b"a" * 68, NET),)))),
            "has no name",
            id="a name without an end",
        ),
        pytest.param(
            elf(Segment(PT_NOTE, manifest(((b"service", 3),)))),
            "a device of the kind 3",
            id="a new kind of device",
        ),
    ],
)
def test_what_no_host_can_run_is_one_sentence(content, complaint):
    with pytest.raises(ImageError, match=complaint):
        read_image(content)


def test_notes_of_others_are_none_of_ours():
    other = note(0x31494241, b"\7\0\0\0\0\0\0\0", b"Other\0")

    assert read_image(elf(Segment(PT_NOTE, other))).target is None


def test_what_follows_the_last_whole_note_is_left_alone():
    assert read_image(elf(Segment(PT_NOTE, abi() + bytes(8)))).target is Target.HVT


@given(
    changes=st.lists(
        st.tuples(st.integers(0, len(unikernel()) - 1), st.integers(0, 255)),
        max_size=8,
    ),
    length=st.integers(0, len(unikernel())),
)
def test_whatever_the_bytes_are_the_error_is_one(changes, length):
    content = bytearray(unikernel())
    for at, value in changes:
        content[at] = value

    for whole in (bytes(content), bytes(content[:length])):
        with contextlib.suppress(ImageError):
            read_image(whole)


@given(st.binary(max_size=300))
def test_any_bytes_behind_the_magic_are_read_or_refused(content):
    with contextlib.suppress(ImageError):
        read_image(b"\x7fELF\2\1\1" + content)
