"""Hosts as configuration files describe them."""

from pathlib import Path

import pytest

from albatross_client.endpoint import DEFAULT_PORT
from albatross_client.errors import CertificateError
from albatross_client.hosts import (
    open_endpoint,
    read_address,
    read_hosts,
    read_sha256,
    structure_hosts,
)
from albatross_client.names import Name
from albatross_client.values import ResourcePolicy
from tests.client.pki import PASSPHRASE, root, write

BASE = Path("/etc/autoscaler")
PIN = "ab" * 32
GOOD = {
    "name": "alpha",
    "address": "alpha.example:1026",
    "server_ca": "ca.pem",
    "ca": "keys/user.pem",
    "ca_key": "/secret/user.key",
}
USER = {"cpuids": [0, 1], "unikernels": 5, "memory": 512, "bridges": ["service"]}


def problems_of(**changes):
    hosts, problems = structure_hosts([{**GOOD, **changes}], BASE)
    assert hosts == ()
    return [str(problem) for problem in problems]


def test_a_minimal_host_has_its_paths_relative_to_the_file():
    (host,), problems = structure_hosts([GOOD], BASE)

    assert problems == ()
    assert (host.name, host.host, host.port) == ("alpha", "alpha.example", 1026)
    assert host.server_ca == BASE / "ca.pem"
    assert host.ca == BASE / "keys/user.pem"
    assert host.ca_key == Path("/secret/user.key")
    assert host.ca_key_passphrase_file is None
    assert (host.server_name, host.server_key_sha256) == (None, None)
    assert host.policies == {}


def test_a_full_host_has_everything():
    table = {
        **GOOD,
        "ca_key_passphrase_file": "pass",
        "server_name": "my host",
        "server_key_sha256": PIN,
        "policies": {"user": USER, "org:team:": {**USER, "block": 100}},
    }

    (host,), problems = structure_hosts([table], BASE)

    assert problems == ()
    assert host.ca_key_passphrase_file == BASE / "pass"
    assert (host.server_name, host.server_key_sha256) == ("my host", b"\xab" * 32)
    policy = host.policies[Name(("user",))]
    assert policy == ResourcePolicy(
        cpuids=frozenset({0, 1}),
        unikernels=5,
        memory=512,
        bridges=frozenset({"service"}),
    )
    assert host.policies[Name(("org", "team"))].block == 100


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("alpha", ("alpha", DEFAULT_PORT)),
        ("10.0.0.1:1", ("10.0.0.1", 1)),
        ("[::1]:65535", ("::1", 65535)),
        ("[fe80::1%eth0]", ("fe80::1%eth0", DEFAULT_PORT)),
    ],
)
def test_addresses_of_all_forms_are_read(text, expected):
    assert read_address(text) == expected


@pytest.mark.parametrize(
    "value",
    ["", ":1025", "a:0", "a:65536", "a:b", "::1", "a b", "tls://a", "[::1", 1025, None],
)
def test_what_is_no_address_is_refused(value):
    with pytest.raises(ValueError):  # noqa: PT011 - the caller has the words
        read_address(value)


def test_a_pin_may_have_colons():
    assert read_sha256(":".join(["AB"] * 32)) == b"\xab" * 32


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param(
            {"address": "a:99999"},
            ["hosts[0].address is 'a:99999': allowed is HOST:PORT or [IPV6]:PORT"],
            id="address",
        ),
        pytest.param(
            {"name": "a/b"},
            [
                (
                    "hosts[0].name is 'a/b': allowed is 1 to 63 letters, digits, '.', "
                    "'-' and '_', the first a letter or digit"
                )
            ],
            id="name",
        ),
        pytest.param(
            {"ca_kye": "x"},
            ["hosts[0].ca_kye is unknown: allowed is ca_key"],
            id="misspelt",
        ),
        pytest.param(
            {"server_key_sha256": "abcd"},
            ["hosts[0].server_key_sha256 is 'abcd': allowed is a SHA-256 in hex"],
            id="pin",
        ),
        pytest.param(
            {"ca": 7, "server_name": ""},
            [
                "hosts[0].ca is 7: allowed is the path of a file",
                "hosts[0].server_name is '': allowed is a common name",
            ],
            id="two at once",
        ),
        pytest.param(
            {"policies": {"user": {**USER, "memory": True, "cpu": []}}},
            [
                "hosts[0].policies.user.cpu is unknown: allowed is cpuids",
                (
                    "hosts[0].policies.user.memory is True: "
                    "allowed is a whole number of MB, 0 or more"
                ),
            ],
            id="policy",
        ),
        pytest.param(
            {"policies": {"user": {**USER, "cpuids": 3, "bridges": "x"}}},
            [
                "hosts[0].policies.user.cpuids is 3: allowed is a list of CPU numbers",
                "hosts[0].policies.user.bridges is 'x': allowed is a list of bridges",
            ],
            id="lists",
        ),
        pytest.param(
            {"policies": 3},
            ["hosts[0].policies is 3: allowed is a table for each domain"],
            id="policies",
        ),
        pytest.param(
            {"policies": {":": USER, "a b": USER, "c": 1}},
            [
                f"hosts[0].policies.{domain} is {shown}: allowed is a table, named by "
                "a domain such as user or org:team"
                for domain, shown in (
                    (":", f"{USER!r}"[:60] + "..."),
                    ("a b", f"{USER!r}"[:60] + "..."),
                    ("c", "1"),
                )
            ],
            id="domains",
        ),
    ],
)
def test_every_problem_names_table_key_value_and_what_is_allowed(changes, expected):
    assert problems_of(**changes) == expected


def test_missing_keys_are_all_told_at_once():
    hosts, problems = structure_hosts([{}], BASE)

    assert hosts == ()
    assert [problem.key for problem in problems] == [
        "address",
        "name",
        "server_ca",
        "ca",
        "ca_key",
    ]
    assert {problem.value for problem in problems} == {"missing"}


@pytest.mark.parametrize("tables", [None, [], {}, "x"], ids=repr)
def test_without_hosts_that_is_the_problem(tables):
    hosts, (problem,) = structure_hosts(tables, BASE)

    assert hosts == ()
    assert problem.allowed == "[[hosts]] tables"


def test_two_hosts_of_one_name_and_a_host_that_is_no_table_are_told():
    _, problems = structure_hosts([GOOD, GOOD, 3], BASE)

    assert [str(problem) for problem in problems] == [
        "hosts[1].name is 'alpha': allowed is a name that no other host has",
        "hosts[2] is 3: allowed is a table",
    ]


def test_keys_of_others_are_theirs():
    table = {**GOOD, "stats_interval": "10s"}

    assert structure_hosts([table], BASE)[0] == ()
    assert structure_hosts(
        [table], BASE, more_keys=frozenset({"stats_interval"})
    ) == structure_hosts([GOOD], BASE)
    assert structure_hosts([table], BASE, more_keys=None)[1] == ()


def test_a_file_is_read_whatever_else_is_in_it(tmp_path):
    file = tmp_path / "a.toml"
    lines = [f'{key} = "{value}"' for key, value in GOOD.items()]
    file.write_text("\n".join(["[deployment]", "x = 1", "[[hosts]]", *lines]))

    (host,) = read_hosts(file)

    assert host.server_ca == tmp_path / "ca.pem"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"a = ", "a.toml is no TOML", id="no TOML"),
        pytest.param(b"a = '\xff'", "a.toml is no TOML", id="no UTF-8"),
        pytest.param(b"", r"a.toml: configuration.hosts is missing", id="no hosts"),
        pytest.param(b"[[hosts]]", r"hosts\[0\].address is missing", id="empty"),
        pytest.param(None, "a.toml can't be read: No such file", id="no file"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_by_name(tmp_path, content, message):
    file = tmp_path / "a.toml"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(ValueError, match=message):
        read_hosts(file)


def test_an_endpoint_is_opened_from_the_files(tmp_path):
    write(tmp_path, root(), passphrase=PASSPHRASE)
    table = {
        **GOOD,
        "ca": "ca.pem",
        "ca_key": "ca.key",
        "ca_key_passphrase_file": "passphrase",
    }
    (host,), _ = structure_hosts([table], tmp_path)

    endpoint = open_endpoint(host)

    assert endpoint.address == "alpha.example:1026"
    assert endpoint.authority.chain == (endpoint.server_ca,)


def test_files_that_are_not_there_are_told_when_opened(tmp_path):
    (host,), _ = structure_hosts([GOOD], tmp_path)

    with pytest.raises(CertificateError, match=r"ca.pem can't be read"):
        open_endpoint(host)
