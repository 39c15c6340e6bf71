"""Tests of members whose addresses are found out."""

import json
import socket

import pytest
import trio

from albatross_client.names import Name
from autoscaler.core.group import GroupId
from autoscaler.shell.traffic.address import (
    LOOK_S,
    MOST_PRINTED,
    AddressError,
    ByHook,
    ByName,
    Whom,
    find_address,
    resolve,
)

SHOP = GroupId("west", Name(("user",), "shop"), is_managed=True)
WHOM = Whom(SHOP, SHOP.clone(7), "10.0.0.7")


def names(**known: tuple[str, ...]):
    """Return a resolver that knows these names, and how often it was asked."""
    asked: list[str] = []

    async def ask(name: str) -> tuple[str, ...]:
        await trio.lowlevel.checkpoint()
        asked.append(name)
        label = name.partition(".")[0].replace("-", "_")
        if label not in known:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return known[label]

    return ask, asked


@pytest.fixture
def script(tmp_path):
    """Make an executable of the lines of a shell script."""

    def make(text, mode=0o700):
        path = tmp_path / "hook"
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(mode)
        return path

    return make


async def test_a_member_is_found_by_its_name():
    ask, asked = names(shop_7=("10.0.0.9", "10.0.0.10"))

    assert await find_address(ByName("{name}.example.org", ask), WHOM) == "10.0.0.9"
    assert asked == ["shop-7.example.org"]


async def test_a_name_may_have_the_number_alone():
    ask, asked = names(s7=("fd00:0::7",))

    assert await find_address(ByName("s{index}.example.org", ask), WHOM) == "fd00::7"
    assert asked == ["s7.example.org"]


async def test_a_name_that_is_not_there_yet_is_told():
    ask, _ = names()

    with pytest.raises(AddressError) as caught:
        await find_address(ByName("{name}.example.org", ask), WHOM)

    assert str(caught.value) == (
        "the name shop-7.example.org has no address: Name or service not known"
    )


async def test_a_name_without_addresses_has_none():
    ask, _ = names(shop_7=())

    with pytest.raises(AddressError, match=r"shop-7\.example\.org has no address$"):
        await find_address(ByName("{name}.example.org", ask), WHOM)


async def test_what_a_resolver_answers_is_no_address_before_it_is_one():
    ask, _ = names(shop_7=("nobody",))

    with pytest.raises(AddressError, match="is no address: 'nobody'"):
        await find_address(ByName("{name}.example.org", ask), WHOM)


async def test_a_resolver_that_says_nothing_is_not_waited_for(autojump_clock):
    async def mute(_name):
        await trio.sleep_forever()

    with pytest.raises(AddressError, match="not told within 10 s"):
        await find_address(ByName("{name}.example.org", mute), WHOM)

    assert trio.current_time() == LOOK_S


async def test_a_name_that_can_be_none_is_told():
    with pytest.raises(AddressError, match="has no address"):
        await find_address(ByName("{name}." + "x" * 80), WHOM)


async def test_this_machine_resolves_addresses():
    assert await resolve("127.0.0.1") == ("127.0.0.1",)


@pytest.mark.parametrize("template", ["shop.example.org", "{address}.org", "{name}{}"])
def test_a_template_has_what_tells_members_apart(template):
    with pytest.raises(ValueError, match=r"must have \{name\} or \{index\} in it"):
        ByName(template)


async def test_a_hook_is_told_the_member_and_prints_its_address(script, tmp_path):
    told = tmp_path / "told"
    path = script(f"cat > {told}; echo ' 10.0.0.42 '")

    assert await find_address(ByHook(path), WHOM) == "10.0.0.42"
    assert json.loads(told.read_text()) == {
        "host": "west",
        "group": "user:shop",
        "name": "user:shop-7",
        "label": "shop-7",
        "index": 7,
        "leased": "10.0.0.7",
    }


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param("echo later >&2; exit 3", "exit code 3: later", id="a failure"),
        pytest.param("exit 4", "exit code 4: without a word", id="a mute failure"),
        pytest.param("echo 10.0.0", "prints is no address: '10.0.0'", id="half"),
        pytest.param("true", "prints is no address: ''", id="nothing"),
        pytest.param(
            f"head -c {2 * MOST_PRINTED} /dev/zero", "is no address", id="too much"
        ),
    ],
)
async def test_what_is_wrong_with_a_hook_is_one_sentence(script, text, complaint):
    with pytest.raises(AddressError, match=complaint):
        await find_address(ByHook(script(text)), WHOM)


async def test_a_hook_that_can_not_be_run_is_told(tmp_path):
    with pytest.raises(AddressError, match="gone can't be run: No such file"):
        await find_address(ByHook(tmp_path / "gone"), WHOM)


async def test_a_hook_is_not_waited_for_without_end(script):
    with pytest.raises(AddressError, match=r"not told within 0\.05 s"):
        await find_address(ByHook(script("exec sleep 60"), 0.05), WHOM)
