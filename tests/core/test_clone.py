"""Tests of what a clone is created from."""

import pytest

from albatross_client.values import (
    BlockDevice,
    BlockInfo,
    Config,
    Interface,
    InterfaceInfo,
    RestartOnExit,
)
from autoscaler.core.blueprint import copied
from autoscaler.core.clone import clone_config, unknown_placeholders
from tests.core.builders import make_info, make_policy, make_slot

SLOT = make_slot(7, 3, "10.0.0.9")


def arguments(argv, *template) -> tuple[str, ...] | None:
    policy = make_policy(argument_template=template)
    return clone_config(copied(make_info(argv=argv)), SLOT, policy).argv


def test_a_clone_is_its_primary_with_other_cpus_and_without_mac_addresses():
    primary = make_info(
        memory=64,
        startup=12,
        fail_behaviour=RestartOnExit(frozenset({1})),
        interfaces=(InterfaceInfo("service", "br7", b"\x02" * 6),),
        argv=("--name=web", "--port=80"),
        numcpus=2,
        linux_boot_partition="sda1",
    )

    config = clone_config(copied(primary), SLOT, make_policy())

    assert config == Config(
        memory=64,
        startup=12,
        fail_behaviour=RestartOnExit(frozenset({1})),
        add_name=True,
        cpuids=frozenset({3}),
        interfaces=(Interface("service", "br7", None),),
        argv=("--port=80",),
        numcpus=2,
        linux_boot_partition="sda1",
    )


@pytest.mark.parametrize(
    ("share", "expected"),
    [(True, (BlockDevice("data", "web-data", 512),)), (False, ())],
)
def test_block_devices_are_shared_only_when_the_operator_says_so(share, expected):
    primary = make_info(blocks=(BlockInfo("data", "web-data", 512, 10),))

    config = clone_config(copied(primary), SLOT, make_policy(share_block_devices=share))

    assert config.blocks == expected


@pytest.mark.parametrize(
    ("argv", "template", "expected"),
    [
        pytest.param(None, (), None, id="none stay none"),
        pytest.param((), (), (), id="empty stay empty"),
        pytest.param(("--name=web",), (), None, id="only a name"),
        pytest.param(("--name=a", "x", "--name=b"), (), ("x",), id="every name"),
        pytest.param(("x",), ("--y=1",), ("x", "--y=1"), id="added"),
        pytest.param(None, ("--y=1",), ("--y=1",), id="added to none"),
        pytest.param(
            ("--ip=1", "x", "--ip=2"), ("--ip=3",), ("--ip=3", "x"), id="replaced"
        ),
        pytest.param(("--ipv4=1",), ("--ip=3",), ("--ipv4=1", "--ip=3"), id="key"),
        pytest.param(("x", "-v"), ("-v",), ("x", "-v"), id="a flag is set once"),
        pytest.param(("-v=1",), ("-v",), ("-v=1", "-v"), id="a flag has no key"),
        pytest.param(
            (),
            ("--n={name}", "--i={index}", "--a={address}/24", "--o={other}"),
            ("--n=web-clone-7", "--i=7", "--a=10.0.0.9/24", "--o={other}"),
            id="placeholders",
        ),
    ],
)
def test_the_template_edits_the_primarys_arguments(argv, template, expected):
    assert arguments(argv, *template) == expected


def test_a_clone_without_an_address_has_an_empty_one():
    policy = make_policy(argument_template=("--a={address}",))

    config = clone_config(copied(make_info(argv=())), make_slot(1), policy)

    assert config.argv == ("--a=",)


def test_placeholders_that_mean_nothing_are_found():
    template = ("--a={name}{index}{address}", "--b={host}", "{}", "{Name}")

    assert unknown_placeholders(template) == ("host", "", "Name")
