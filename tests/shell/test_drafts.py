"""Tests of image files, and of what is made from them."""

from hashlib import sha256
from pathlib import Path

import pytest

from albatross_client.names import Name
from albatross_client.sandbox.embed import SANDBOX_IMAGE
from albatross_client.solo5 import Architecture, ImageError, Target
from albatross_client.values import Interface
from autoscaler.core.group import GroupId
from autoscaler.shell.configuration.recipes import Recipe
from autoscaler.shell.configuration.settings import parse_settings
from autoscaler.shell.drafts import (
    MOST_BYTES,
    complaints,
    draft_of,
    read_drafts,
    read_file,
)
from autoscaler.shell.marks import Mark
from tests.client.images import AARCH64, NET, SPT, XEN, unikernel

SERVICE = ((b"service", NET),)
IMAGE = unikernel(devices=SERVICE)
BRIDGED = (Interface("service", "br0"),)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "shop.hvt"
    path.write_bytes(IMAGE)
    return path


def recipe(file=Path("shop.hvt"), **changes) -> Recipe:
    return Recipe(**{"image": file, "bridges": BRIDGED, **changes})


def test_a_file_is_read_whole(file):
    read = read_file(file)

    assert read.content == IMAGE
    assert read.digest == sha256(IMAGE).digest()
    assert read.says.target is Target.HVT
    assert read.mark is not None
    assert read.mark.size == len(IMAGE)


def test_a_draft_is_what_the_recipe_says_with_the_image_s_digest(file):
    draft = draft_of(recipe(file), read_file(file))

    assert draft.template == recipe(file).blueprint(sha256(IMAGE).digest())


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(ImageError, match=r"no\.hvt can't be read: No such file"):
        read_file(tmp_path / "no.hvt")


def test_a_directory_is_no_image(tmp_path):
    with pytest.raises(ImageError, match="can't be read: Is a directory"):
        read_file(tmp_path)


def test_what_is_no_image_is_told_with_its_file(file):
    file.write_text("#!/bin/sh")

    with pytest.raises(ImageError, match=r"shop\.hvt is no ELF file"):
        read_file(file)


def test_a_file_without_end_is_not_read(file):
    with file.open("wb") as growing:
        growing.truncate(MOST_BYTES + 1)

    with pytest.raises(ImageError, match="is larger than 268435456 bytes"):
        read_file(file)


def test_a_file_that_changes_while_it_is_read_is_not_used(file, monkeypatch):
    marks = iter([Mark(1, 1, 1), Mark(1, 2, 1)])
    monkeypatch.setattr("autoscaler.shell.drafts.mark_of", lambda _path: next(marks))

    with pytest.raises(ImageError, match="is being written"):
        read_file(file)


@pytest.mark.parametrize(
    ("image", "changes", "expected"),
    [
        pytest.param(IMAGE, {}, [], id="one that fits"),
        pytest.param(
            unikernel(devices=SERVICE, target=SPT), {}, [], id="the other tender"
        ),
        pytest.param(
            SANDBOX_IMAGE,
            {"architecture": Architecture.AARCH64, "bridges": ()},
            [],
            id="one that says nothing",
        ),
        pytest.param(
            unikernel(devices=SERVICE, machine=AARCH64),
            {"architecture": Architecture.X86_64},
            ["is for aarch64, and the host is x86_64"],
            id="another processor",
        ),
        pytest.param(
            unikernel(devices=SERVICE, target=XEN),
            {},
            ["is for xen, and hosts run hvt and spt"],
            id="another hypervisor",
        ),
        pytest.param(
            IMAGE,
            {"bridges": ()},
            ["asks for the network devices service, and `bridges` has none"],
            id="no bridge",
        ),
        pytest.param(
            unikernel(),
            {},
            ["asks for the block devices data, which members don't get"],
            id="a block device",
        ),
    ],
)
def test_an_image_that_the_host_would_refuse_is_told(file, image, changes, expected):
    file.write_bytes(image)
    read = read_file(file)

    assert list(complaints(recipe(file, **changes), read.says)) == expected
    if expected:
        with pytest.raises(ImageError, match=expected[0]):
            draft_of(recipe(file, **changes), read)


def settings(directory, groups):
    host = (
        '[[hosts]]\nname = "west"\naddress = "west:1025"\nserver_ca = "ca.pem"\n'
        'ca = "ca.pem"\nca_key = "ca.key"\n'
    )
    text = f'[deployment]\nname = "t"\nstate_dir = "s"\n{host}{groups}'
    return parse_settings(text, directory / "autoscaler.toml")


def managed(name, image):
    return (
        f'[[groups]]\nhost = "west"\nname = "user:{name}"\nimage = "{image}"\n'
        'max_members = 2\nbridges = ["service"]\n'
    )


PRIMARY = '[[groups]]\nhost = "west"\nprimary = "user:web"\nmax_clones = 2\n'


def test_groups_that_share_a_file_read_it_once(file):
    groups = PRIMARY + managed("a", file.name) + managed("b", file.name)
    reads = []

    def read(path):
        reads.append(path)
        return read_file(path)

    drafts, problems = read_drafts(settings(file.parent, groups), read)

    assert problems == ()
    assert reads == [file]
    assert drafts.images == {sha256(IMAGE).digest(): IMAGE}
    assert set(drafts.templates) == {
        GroupId("west", Name(("user",), name), is_managed=True) for name in "ab"
    }


def test_all_files_that_cannot_be_used_are_told_at_once(file):
    groups = PRIMARY + managed("a", "no.hvt") + managed("b", file.name)
    file.write_bytes(unikernel())

    drafts, problems = read_drafts(settings(file.parent, groups))

    assert drafts.templates == {}
    first, second = map(str, problems)
    assert "[[groups]] #2 (west/user:a): image: " in first
    assert first.endswith("no.hvt can't be read: No such file or directory")
    assert "[[groups]] #3 (west/user:b): image: " in second
    assert "asks for the block devices data" in second
