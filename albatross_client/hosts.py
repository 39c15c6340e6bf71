"""Hosts as a configuration file describes them: ``[[hosts]]`` tables.

Laws: all that is wrong is told at once, each problem with its table, key and
value and what is allowed; relative paths are relative to the file; the files
are read by `open_endpoint` alone.
"""

import difflib
import hashlib
import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from attrs import field, frozen

from albatross_client.certificates import load_authority, load_certificate
from albatross_client.endpoint import DEFAULT_PORT, Endpoint
from albatross_client.errors import CertificateError
from albatross_client.keys import readable_by_others
from albatross_client.names import Name
from albatross_client.texts import escaped
from albatross_client.values import ResourcePolicy

T = TypeVar("T")

HOST_KEYS = (
    "name",
    "address",
    "server_ca",
    "ca",
    "ca_key",
    "ca_key_passphrase_file",
    "server_name",
    "server_key_sha256",
    "policies",
)
POLICY_KEYS = ("cpuids", "unikernels", "memory", "block", "bridges")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", re.ASCII)
_ADDRESS = re.compile(
    r"(?:\[(?P<v6>[0-9A-Fa-f:.]+(?:%[\w.-]+)?)\]|(?P<host>[^\s:/\[\]@]{1,253}))"
    r"(?::(?P<port>\d{1,5}))?",
    re.ASCII,
)
_MAX_PORT = 65_535
_MISSING = "missing"
OPEN_TO_OTHERS = "can be read by others than its owner: chmod 600 it"
_MAX_SHOWN = 60
_A_FILE = "the path of a file"
_AN_ADDRESS = "HOST:PORT or [IPV6]:PORT"
A_HOST_NAME = "1 to 63 letters, digits, '.', '-' and '_', the first a letter or digit"
_A_DIGEST = "a SHA-256 in hex"


@frozen(kw_only=True)
class HostSettings:
    """One ``[[hosts]]`` table, understood.

    Attributes:
        name: What the configuration calls the host.
        host: Host name or IP address.
        port: TCP port of the TLS endpoint.
        server_ca: File: what the server's certificate must be issued by.
        ca: File: the signing certificate, then its issuers.
        ca_key: File: its key.
        ca_key_passphrase_file: File: what opens the key; None: not encrypted.
        server_name: Common name that the server must have; None: any.
        server_key_sha256: What its public key must hash to; None: anything.
        policies: For domains that the host has no policy of, by domain.
    """

    name: str
    host: str
    port: int
    server_ca: Path
    ca: Path
    ca_key: Path
    ca_key_passphrase_file: Path | None = None
    server_name: str | None = None
    server_key_sha256: bytes | None = None
    policies: Mapping[Name, ResourcePolicy] = field(factory=dict)

    @property
    def secret_files(self) -> tuple[Path, ...]:
        """The files that nobody but their owner may read."""
        passphrase = self.ca_key_passphrase_file
        return (self.ca_key,) if passphrase is None else (self.ca_key, passphrase)


@frozen
class Problem:
    """One thing that is wrong in a configuration.

    Attributes:
        table: Where, as a reader finds it: ``hosts[1]``.
        key: Which key of the table.
        value: What is there, as text.
        allowed: What may be there instead.
    """

    table: str
    key: str
    value: str
    allowed: str

    def __str__(self) -> str:
        where = f"{self.table}.{self.key}" if self.key else self.table
        return escaped(f"{where} is {self.value}: allowed is {self.allowed}")


def open_endpoint(settings: HostSettings) -> Endpoint:
    """Read the files that *settings* names.

    Raises:
        CertificateError: One can't be read, or they don't fit together.
    """
    return Endpoint(
        host=settings.host,
        port=settings.port,
        server_ca=load_certificate(settings.server_ca),
        authority=load_authority(
            settings.ca, settings.ca_key, settings.ca_key_passphrase_file
        ),
        server_name=settings.server_name,
        server_key_sha256=settings.server_key_sha256,
        policies=settings.policies,
    )


def open_private_endpoint(settings: HostSettings) -> Endpoint:
    """Read the files that *settings* names, if only their owner can.

    Raises:
        CertificateError: Others can read a key; or one can't be read, or they
            don't fit together.
    """
    endpoint = open_endpoint(settings)
    for path in settings.secret_files:
        require_private(path)
    return endpoint


def require_private(path: Path) -> None:
    """Refuse a file of secrets that others than its owner can read.

    Raises:
        CertificateError: They can, or there is no such file.
    """
    if readable_by_others(path):
        msg = f"{path} {OPEN_TO_OTHERS}"
        raise CertificateError(msg)


def read_hosts(file: Path) -> tuple[HostSettings, ...]:
    """Return the hosts of the TOML *file*, whatever else is in it.

    Raises:
        ValueError: It can't be read or a host can't be understood; the
            message has one line for each problem.
    """
    try:
        table = tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        msg = f"{file} can't be read: {error.strerror}"
        raise ValueError(msg) from error
    except RecursionError as error:
        msg = f"{file} is no TOML: it is nested too deeply"
        raise ValueError(msg) from error
    except ValueError as error:
        # Not only TOMLDecodeError: a number may have too many digits.
        msg = f"{file} is no TOML: {error}"
        raise ValueError(msg) from error
    hosts, problems = structure_hosts(table.get("hosts"), file.parent, more_keys=None)
    if problems:
        raise ValueError("\n".join(f"{file}: {problem}" for problem in problems))
    return hosts


def structure_hosts(
    tables: object, base: Path, *, more_keys: frozenset[str] | None = frozenset()
) -> tuple[tuple[HostSettings, ...], tuple[Problem, ...]]:
    """Return the hosts in *tables*, a parsed ``hosts``, and what is wrong.

    Paths are relative to *base*; *more_keys* may be there too and are the
    caller's; with None any other key is.
    """
    if not isinstance(tables, list) or not tables:
        value = _MISSING if tables is None else _shown(tables)
        return (), (Problem("configuration", "hosts", value, "[[hosts]] tables"),)
    hosts: list[HostSettings] = []
    problems: list[Problem] = []
    for index, table in enumerate(tables):
        where = f"hosts[{index}]"
        host, wrong = structure_host(table, base, where, more_keys=more_keys)
        problems += wrong
        if host is not None:
            if any(host.name == other.name for other in hosts):
                allowed = "a name that no other host has"
                problems.append(Problem(where, "name", repr(host.name), allowed))
            hosts.append(host)
    return tuple(hosts), tuple(problems)


def structure_host(
    table: object,
    base: Path,
    where: str,
    *,
    more_keys: frozenset[str] | None = frozenset(),
) -> tuple[HostSettings | None, tuple[Problem, ...]]:
    """Return the host in one parsed *table*, or what is wrong there.

    *where* is what problems call the table.
    """
    if not isinstance(table, Mapping):
        return None, (Problem(where, "", _shown(table), "a table"),)
    reader = _Reader(where, table)
    if more_keys is not None:
        reader.refuse_others((*HOST_KEYS, *sorted(more_keys)))

    def file_named_by(key: str) -> Path:
        return reader.need(key, lambda value: base / _text(value), _A_FILE, Path())

    host, port = reader.need("address", read_address, _AN_ADDRESS, ("", 0))
    settings = HostSettings(
        name=reader.need("name", read_host_name, A_HOST_NAME, ""),
        host=host,
        port=port,
        server_ca=file_named_by("server_ca"),
        ca=file_named_by("ca"),
        ca_key=file_named_by("ca_key"),
        ca_key_passphrase_file=(
            file_named_by("ca_key_passphrase_file")
            if "ca_key_passphrase_file" in table
            else None
        ),
        server_name=reader.may("server_name", _text, "a common name"),
        server_key_sha256=reader.may("server_key_sha256", read_sha256, _A_DIGEST),
        policies=_policies(table.get("policies", {}), reader),
    )
    problems = tuple(reader.problems)
    return (None if problems else settings), problems


def read_address(value: object) -> tuple[str, int]:
    """Return the host and port of ``HOST:PORT``; without a port the default.

    Raises:
        ValueError: *value* is no address.
    """
    found = _ADDRESS.fullmatch(_text(value))
    if found is None:
        raise ValueError
    port = int(found["port"] or DEFAULT_PORT)
    if not 0 < port <= _MAX_PORT:
        raise ValueError
    return found["v6"] or found["host"], port


def read_host_name(value: object) -> str:
    """Return what a configuration calls a host.

    Raises:
        ValueError: *value* is not `A_HOST_NAME`.
    """
    text = _text(value)
    if _NAME.fullmatch(text) is None:
        raise ValueError
    return text


def read_sha256(value: object) -> bytes:
    """Return the digest in *value*: hex, colons between the bytes allowed.

    Raises:
        ValueError: *value* is no such digest.
    """
    octets = bytes.fromhex(_text(value).replace(":", ""))
    if len(octets) != hashlib.sha256().digest_size:
        raise ValueError
    return octets


@frozen
class _Reader:
    """Takes values out of one table and notes what is wrong with them."""

    where: str
    table: Mapping[str, object]
    problems: list[Problem] = field(factory=list)

    def need(
        self, key: str, read: Callable[[object], T], allowed: str, instead: T
    ) -> T:
        """Return what *key* holds; *instead* where that is a problem."""
        if key not in self.table:
            self.complain(key, _MISSING, allowed)
            return instead
        found = self.may(key, read, allowed)
        return instead if found is None else found

    def may(self, key: str, read: Callable[[object], T], allowed: str) -> T | None:
        """Return what *key* holds; None: nothing, or a problem."""
        if key not in self.table:
            return None
        try:
            return read(self.table[key])
        except ValueError:
            self.complain(key, _shown(self.table[key]), allowed)
            return None

    def refuse_others(self, known: tuple[str, ...]) -> None:
        """Note every key that is not *known*, with the nearest that is."""
        for key in self.table:
            if key not in known:
                nearest = difflib.get_close_matches(key, known, 1)
                allowed = nearest[0] if nearest else f"one of {', '.join(known)}"
                self.complain(key, "unknown", allowed)

    def complain(self, key: str, value: str, allowed: str) -> None:
        """Note that *key* has *value* where only *allowed* may stand."""
        self.problems.append(Problem(self.where, key, value, allowed))


def _policies(tables: object, above: _Reader) -> Mapping[Name, ResourcePolicy]:
    if not isinstance(tables, Mapping):
        above.complain("policies", _shown(tables), "a table for each domain")
        return {}
    policies = {}
    for domain, table in tables.items():
        where = f"{above.where}.policies.{domain}"
        name = _domain(domain)
        if name is None or not isinstance(table, Mapping):
            allowed = "a table, named by a domain such as user or org:team"
            above.complain(f"policies.{domain}", _shown(table), allowed)
            continue
        policies[name] = _policy(_Reader(where, table, above.problems))
    return policies


def _policy(reader: _Reader) -> ResourcePolicy:
    reader.refuse_others(POLICY_KEYS)
    a_size = "a whole number of MB, 0 or more"
    return ResourcePolicy(
        cpuids=reader.need("cpuids", _counts, "a list of CPU numbers", frozenset()),
        unikernels=reader.need("unikernels", _count, "a whole number, 0 or more", 0),
        memory=reader.need("memory", _count, a_size, 0),
        block=reader.may("block", _count, a_size),
        bridges=reader.need("bridges", _texts, "a list of bridges", frozenset()),
    )


def _domain(text: str) -> Name | None:
    try:
        name = Name.parse(text)
    except ValueError:
        return None
    path = name.path if name.label is None else (*name.path, name.label)
    return Name(path) if path else None


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.isprintable() or not value.strip():
        raise ValueError
    return value


def _texts(value: object) -> frozenset[str]:
    if not isinstance(value, list):
        raise ValueError  # noqa: TRY004 - one exception for all readers
    return frozenset(_text(each) for each in value)


def _count(value: object) -> int:
    # True is an int to Python, but no number to anybody.
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError
    return value


def _counts(value: object) -> frozenset[int]:
    if not isinstance(value, list):
        raise ValueError  # noqa: TRY004 - one exception for all readers
    return frozenset(_count(each) for each in value)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}..."
