"""What a terminal and a program are shown of a host's values."""

import pytest

from albatross_client.cli import show
from albatross_client.cli.changing import (
    read_block,
    read_fail_behaviour,
    read_interface,
)
from albatross_client.heard import Heard
from albatross_client.names import Name
from albatross_client.replies import ConsoleLine
from albatross_client.stats import Sample
from albatross_client.texts import clean
from albatross_client.values import (
    BlockDevice,
    BlockInfo,
    Info,
    Interface,
    InterfaceInfo,
    Quit,
    ResourcePolicy,
    RestartOnExit,
    Timestamp,
)

WEB = Name.parse("user:web")
WHEN = Timestamp(1_700_000_000_123)
FULL = Info(
    fail_behaviour=RestartOnExit(frozenset({2, 1})),
    cpuids=frozenset({3, 1, 2}),
    digest=b"\xab" * 32,
    blocks=(BlockInfo("data", "disk", 512, 10),),
    interfaces=(InterfaceInfo("service", "br0", bytes.fromhex("0a0b0c0d0e0f")),),
    argv=("--name=web", "\x1b[31m"),
    started=WHEN,
)


def heard(cpu_us, at, rss=None):
    sample = Sample(":web", cpu_us, 0, 0, 0, 0, None, None, rss, 0, 0, 10, 20)
    return Heard(WEB, sample, at)


def test_control_characters_of_hosts_never_reach_a_terminal():
    hostile = "a\x1b[2J\x07\u202eb\n\x9b"

    shown = clean(hostile)

    assert shown == "a\\x1b[2J\\x07\\u202eb\\n\\x9b"
    assert "\x1b" not in show.table(("X",), [(hostile,)])
    assert "\x1b" not in show.console_text(ConsoleLine(WHEN, hostile.encode()))
    assert "\x1b" not in show.table(show.INFO_HEADER, [show.info_row(WEB, FULL)])


def test_columns_are_as_wide_as_their_widest_cell():
    assert show.table(("A", "B"), [("long", "x"), ("y", "")]) == "A     B\nlong  x\ny"


def test_info_has_a_stable_form():
    assert show.info_json(WEB, FULL) == {
        "name": "user:web",
        "type": "solo5",
        "cpuids": [1, 2, 3],
        "numcpus": 1,
        "memory_mb": 32,
        "digest": "ab" * 32,
        "started": "2023-11-14T22:13:20.123Z",
        "startup": None,
        "restart_on_exit": [1, 2],
        "arguments": ["--name=web", "\x1b[31m"],
        "blocks": [
            {"name": "data", "device": "disk", "sector_bytes": 512, "size_mb": 10}
        ],
        "interfaces": [
            {"name": "service", "bridge": "br0", "mac": "0a:0b:0c:0d:0e:0f"}
        ],
        "linux_boot_partition": None,
    }


def test_what_is_not_told_is_null_or_a_dash():
    bare = Info(argv=None)

    assert show.info_json(WEB, bare)["arguments"] is None
    assert show.info_json(WEB, bare)["restart_on_exit"] is None
    assert show.info_row(WEB, bare)[4:] == ("-", "-", "-", "-", "-")
    assert show.policy_row(WEB.domain, ResourcePolicy())[2:] == ("-", "0", "-", "-")


@pytest.mark.parametrize(
    ("values", "text"),
    [((), "-"), ((5,), "5"), ((3, 1, 2, 7), "1-3,7"), (range(64), "0-63")],
)
def test_sets_of_numbers_are_short(values, text):
    assert show.numbers(values) == text


@pytest.mark.parametrize(
    ("when", "text"),
    [
        pytest.param(0, "1970-01-01T00:00:00.000Z", id="epoch"),
        pytest.param(-1, "1969-12-31T23:59:59.999Z", id="before"),
        pytest.param(10**18, f"{10**18} ms", id="beyond"),
    ],
)
def test_instants_of_all_times_are_shown(when, text):
    assert show.instant(Timestamp(when)) == text


def test_a_reading_has_a_stable_form():
    shown = show.heard_json(heard(1_000, 0.0), WHEN)

    assert list(shown) == [
        "name",
        "received",
        "cpu_us",
        "runtime_us",
        "minflt",
        "majflt",
        "nvcsw",
        "nivcsw",
        "rss_pages",
        "packets_in",
        "packets_out",
        "bytes_in",
        "bytes_out",
    ]
    assert shown["received"] == "2023-11-14T22:13:20.123Z"


@pytest.mark.parametrize(
    ("before", "percent"),
    [
        pytest.param(None, "-", id="first"),
        pytest.param(heard(0, 0.0), "25.0", id="a quarter"),
        pytest.param(heard(900_000, 0.0), "-", id="started again"),
        pytest.param(heard(0, 2.0), "-", id="at the same time"),
    ],
)
def test_cpu_is_the_share_between_two_readings(before, percent):
    line = show.heard_text(heard(500_000, 2.0, rss=7), before, WHEN)

    assert line.split() == [show.instant(WHEN), percent, "7", "10", "20", "user:web"]


def test_console_lines_that_are_no_text_are_hex():
    text, octets = ConsoleLine(WHEN, b"hi\n"), ConsoleLine(WHEN, b"\xff")

    assert show.console_json(text)["text"] == "hi\n"
    assert show.console_json(octets) == {
        "time": show.instant(WHEN),
        "text": None,
        "hex": "ff",
    }
    assert show.console_text(text).endswith(" hi")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(None, Quit(), id="quit"),
        pytest.param("any", RestartOnExit(), id="any"),
        pytest.param("3,1", RestartOnExit(frozenset({1, 3})), id="codes"),
    ],
)
def test_restarting_is_read_from_its_option(text, expected):
    assert read_fail_behaviour(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("service", Interface("service")),
        ("service:br0", Interface("service", "br0")),
        ("s:br0:0a:0b:0C:0d:0e:0f", Interface("s", "br0", b"\x0a\x0b\x0c\r\x0e\x0f")),
    ],
)
def test_an_interface_is_read_from_its_option(text, expected):
    assert read_interface(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("data", BlockDevice("data")),
        ("data:disk", BlockDevice("data", "disk")),
        ("data:user:disk@512", BlockDevice("data", "user:disk", 512)),
    ],
)
def test_a_block_device_is_read_from_its_option(text, expected):
    assert read_block(text) == expected


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (read_interface, "s:br0:::::::::::::::::1"),
        (read_interface, "s:br0:a:a:a:a:a:a:a:a:a"),
        (read_interface, "s:br0:0a0b0c0d0e0f0a0b:"),
        (read_interface, "s:br0:000:a:0b:0c:0d:0e"),
        (read_block, "data@\u0665"),
        (read_block, "data@9999999999999999999"),
    ],
    ids=["colons", "odd", "eight", "uneven", "digit", "sector"],
)
def test_a_device_that_is_none_is_told_with_what_is_allowed(read, text):
    with pytest.raises(ValueError, match=r"^--(net|block) .*: allowed is NAME, NAME:"):
        read(text)
