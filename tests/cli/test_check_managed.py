"""check: managed groups and their images."""

import json
from hashlib import sha256

import pytest
import trio
from attrs import evolve

from albatross_client.names import Name
from albatross_client.sandbox.embed import SANDBOX_IMAGE
from albatross_client.values import ResourcePolicy
from autoscaler.cli.findings import found_at_hosts
from autoscaler.cli.survey import survey
from autoscaler.shell.configuration.settings import load_settings
from autoscaler.shell.drafts import read_drafts
from tests.cli.checking import WALL, check, opener
from tests.cli.files import HOST, MANAGED, configuration, keys
from tests.client.images import AARCH64, NET, RESERVED, XEN, unikernel

SERVICE = ((b"service", NET),)


# Managed groups


def managed(directory, image, more="", **files):
    (directory / "shop.hvt").write_bytes(image)
    return configuration(directory, groups=MANAGED, more=more, **files)


def test_what_an_image_is_is_told(tmp_path, capsys):
    keys(tmp_path)

    assert check(managed(tmp_path, unikernel(devices=SERVICE))) == 0

    out, err = capsys.readouterr()
    digest = sha256(unikernel(devices=SERVICE)).hexdigest()[:12]
    # How much of the path fits depends on where temporary files are.
    assert f"west/user:shop x86_64 hvt 2 net:service {digest} /" in " ".join(
        out.split()
    )
    assert err == ""


def test_what_an_image_is_is_json_too(tmp_path, capsys):
    check(managed(tmp_path, unikernel(devices=SERVICE)), "--json")

    [image] = json.loads(capsys.readouterr().out)["images"]
    assert image == {
        "group": "west/user:shop",
        "file": str(tmp_path / "shop.hvt"),
        "architecture": "x86_64",
        "target": "hvt",
        "abi_version": 2,
        "devices": [{"name": "service", "kind": "net"}],
        "sha256": sha256(unikernel(devices=SERVICE)).hexdigest(),
    }


def test_an_image_that_asks_for_nothing_is_told_so(tmp_path, capsys):
    image = unikernel(devices=((b"", RESERVED),))
    file = managed(tmp_path, image)
    file.write_text(file.read_text().replace('bridges = ["service"]\n', ""))

    assert check(file) == 0
    assert "hvt 2 none" in " ".join(capsys.readouterr().out.split())


def test_an_image_without_a_note_is_a_hint(tmp_path, capsys):
    keys(tmp_path)

    assert check(managed(tmp_path, SANDBOX_IMAGE)) == 0

    out, err = capsys.readouterr()
    assert "west/user:shop - - - " in " ".join(out.split())
    assert err == (
        f"hint: group west/user:shop: image: {tmp_path / 'shop.hvt'} has no Solo5 "
        "note: it can't be told whether a host would run it\n"
    )
    check(managed(tmp_path, SANDBOX_IMAGE), "--json")
    [image] = json.loads(capsys.readouterr().out)["images"]
    assert (image["architecture"], image["target"], image["devices"]) == (None,) * 3


@pytest.mark.parametrize(
    ("image", "host", "complaint"),
    [
        pytest.param(b"#!/bin/sh", HOST, "is no ELF file", id="a script"),
        pytest.param(
            unikernel(devices=SERVICE, machine=AARCH64),
            f'{HOST}architecture = "x86_64"\n',
            "is for aarch64, and the host is x86_64",
            id="another processor",
        ),
        pytest.param(
            unikernel(devices=SERVICE, target=XEN),
            HOST,
            "is for xen, and hosts run hvt and spt",
            id="another hypervisor",
        ),
    ],
)
def test_an_image_that_cannot_be_right_is_an_error(
    tmp_path, capsys, image, host, complaint
):
    assert check(managed(tmp_path, image, host=host)) == 1

    err = capsys.readouterr().err
    assert err.startswith(f"error: {tmp_path / 'autoscaler.toml'}: [[groups]] #1 ")
    assert complaint in err


class Answering:
    """A host on which nothing runs."""

    def __init__(self, **limits):
        roomy = ResourcePolicy(
            cpuids=frozenset({0, 1, 2, 3}),
            unikernels=9,
            memory=1000,
            bridges=frozenset({"service"}),
        )
        self.limits = {Name(("user",)): evolve(roomy, **limits)}

    async def info(self, name):
        await trio.lowlevel.checkpoint()
        return {}

    async def policies(self, domain):
        await trio.lowlevel.checkpoint()
        return self.limits


async def surveyed(directory, **limits):
    file = managed(directory, unikernel(devices=SERVICE))
    settings = load_settings(file)
    templates = read_drafts(settings)[0].templates
    client = Answering(**limits)
    return found_at_hosts(await survey(settings, opener(client), templates), WALL)


async def test_a_managed_group_needs_no_primary(tmp_path):
    assert await surveyed(tmp_path) == ()


async def test_a_managed_group_that_does_not_fit_is_told_in_its_own_words(tmp_path):
    [found] = await surveyed(tmp_path, unikernels=3)

    assert str(found) == (
        "hint: group west/user:shop: max_members: 4 members are more than fit (3, 0 "
        "of them running): a member needs 1 of unikernels, and 3 of 3 are taken in "
        "the policy of user"
    )


async def test_of_a_managed_group_without_an_image_nothing_is_asked(tmp_path):
    settings = load_settings(configuration(tmp_path, groups=MANAGED))

    assert found_at_hosts(await survey(settings, opener(Answering())), WALL) == ()
