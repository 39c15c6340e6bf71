"""How a host is reached: asked for, guessed where that is safe, and opened.

Laws: whatever was guessed is told; keys that others can read are refused.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

import trio
from attrs import evolve, field, frozen

from albatross_client.certificates import domain_of, load_authority, load_certificate
from albatross_client.client import Client
from albatross_client.endpoint import DEFAULT_PORT
from albatross_client.errors import AlbatrossError, EncryptedKeyError
from albatross_client.hosts import (
    A_HOST_NAME,
    HostSettings,
    open_private_endpoint,
    read_address,
    read_host_name,
    require_private,
)
from albatross_client.names import Name
from albatross_client.texts import clean
from albatross_client.values import Info, ResourcePolicy
from autoscaler.cli.setting_up.asking import Asker, Question
from autoscaler.cli.survey import ANSWER_S, Opened, in_words

# How what has issued the server's certificate is usually called.
SERVER_CAS = ("server-ca.pem", "cacert.pem", "ca.pem")

HOST = Question("--host", f"Host, as HOST:PORT or HOST (its port is {DEFAULT_PORT})")
NAME = Question("--name", "Name of the host")
CA = Question("--ca", "CA that signs our commands (a file such as user.pem)")
CA_KEY = Question("--ca-key", "Its key (a file such as user.key)")
PASSPHRASE = Question("--ca-key-passphrase-file", "File with the key's passphrase")
SERVER_CA = Question("--server-ca", "CA that has issued the server's certificate")


@frozen(kw_only=True)
class Given:
    """What the command line says of a host; None: nothing."""

    name: str | None = None
    host: str | None = None
    ca: str | None = None
    ca_key: str | None = None
    passphrase_file: str | None = None
    server_ca: str | None = None

    @property
    def missing(self) -> tuple[str, ...]:
        """The options that nothing can be guessed for."""
        needed = ((HOST, self.host), (CA, self.ca))
        return tuple(question.option for question, given in needed if given is None)

    @property
    def is_whole(self) -> bool:
        """Whether another try would ask for nothing."""
        return None not in (self.host, self.ca, self.server_ca)


@frozen(kw_only=True)
class Seen:
    """What a host has shown of the domain that a CA acts in.

    Attributes:
        infos: What runs there, by absolute name.
        policies: By absolute domain.
        at: When that was, trio's clock.
    """

    infos: Mapping[Name, Info] = field(factory=dict)
    policies: Mapping[Name, ResourcePolicy] = field(factory=dict)
    at: float = 0.0


class LookError(Exception):
    """A host did not show what it was asked for; the text says why."""


def settle_access(
    asker: Asker, given: Given, before: HostSettings | None = None
) -> HostSettings:
    """Ask for all that is needed to reach a host; return it.

    Arguments:
        asker: Asks.
        given: What is not asked for.
        before: What was answered before and did not do.

    Raises:
        UnsettledError: Something can't be used, or nobody answers.
    """
    host, port = asker.settle(_again(HOST, before, address_of), given.host, _address)
    name = asker.settle(NAME, given.name or name_of(host), _name)
    ca = asker.settle(_again(CA, before, lambda old: old.ca), given.ca, _ca)
    passphrase = None
    if given.passphrase_file is not None:
        passphrase = asker.settle(PASSPHRASE, given.passphrase_file, _file)
    key, passphrase = _settle_key(asker, given, ca, passphrase)
    question = _again(SERVER_CA, before, lambda old: old.server_ca)
    guess = _first_that_is_there(ca.with_name(name) for name in SERVER_CAS)
    if given.server_ca is None and guess is not None and before is None:
        server_ca = asker.guess(question, guess, _root)
    else:
        server_ca = asker.settle(question, given.server_ca, _root)
    return HostSettings(
        name=name,
        host=host,
        port=port,
        server_ca=server_ca,
        ca=ca,
        ca_key=key,
        ca_key_passphrase_file=passphrase,
    )


def address_of(access: HostSettings) -> str:
    """Return ``HOST:PORT``."""
    host = f"[{access.host}]" if ":" in access.host else access.host
    return f"{host}:{access.port}"


def name_of(host: str) -> str:
    """Return what a configuration may call *host*: its name's first label."""
    label = host.partition(".")[0]
    is_address = ":" in host or label.isdecimal()
    return "host" if is_address or not label.isalnum() else label.lower()


def open_access(access: HostSettings) -> Opened:
    """Read the keys of *access*.

    Raises:
        CertificateError: They can't be used, or others can read them.
    """
    endpoint = open_private_endpoint(access)
    return Opened(Client(endpoint), endpoint.authority.domain, endpoint.validity)


async def look(opened: Opened) -> Seen:
    """Ask a host for all that it shows us.

    Raises:
        LookError: It does not answer, or not to us.
    """
    try:
        with trio.fail_after(ANSWER_S):
            policies = await opened.client.policies(opened.domain)
            infos = await opened.client.info(opened.domain)
    except (AlbatrossError, trio.TooSlowError) as error:
        raise LookError(in_words(error)) from error
    return Seen(infos=infos, policies=policies, at=trio.current_time())


def _settle_key(
    asker: Asker, given: Given, ca: Path, passphrase: Path | None
) -> tuple[Path, Path | None]:
    """Return the file of the key of *ca*, and that of its passphrase."""

    def private(text: str) -> Path:
        key = _file(text)
        with suppress(EncryptedKeyError):
            load_authority(ca, key, passphrase)
        require_private(key)
        return key

    def opening(text: str) -> Path:
        file = _file(text)
        load_authority(ca, key, file)
        require_private(file)
        return file

    guess = _first_that_is_there([ca.with_suffix(".key")])
    if given.ca_key is None and guess is not None:
        key = asker.guess(CA_KEY, guess, private)
    else:
        key = asker.settle(CA_KEY, given.ca_key, private)
    try:
        load_authority(ca, key, passphrase)
    except EncryptedKeyError:
        return key, asker.settle(PASSPHRASE, None, opening)
    return key, passphrase


def _again(
    question: Question,
    before: HostSettings | None,
    read: Callable[[HostSettings], object],
) -> Question:
    """Return *question* with what was answered *before* as its default."""
    return question if before is None else evolve(question, default=str(read(before)))


def _first_that_is_there(files: Iterable[Path]) -> str | None:
    return next((str(file) for file in files if file.exists()), None)


def _address(text: str) -> tuple[str, int]:
    try:
        return read_address(text)
    except ValueError as error:
        msg = f"{clean(text)} is no address: HOST, HOST:PORT or [IPV6]:PORT"
        raise ValueError(msg) from error


def _name(text: str) -> str:
    try:
        return read_host_name(text)
    except ValueError as error:
        msg = f"{clean(text)} can't be a host's name: {A_HOST_NAME}"
        raise ValueError(msg) from error


def _ca(text: str) -> Path:
    ca = _file(text)
    domain_of(ca)
    return ca


def _root(text: str) -> Path:
    file = _file(text)
    load_certificate(file)
    return file


def _file(text: str) -> Path:
    """Return the path in *text*, as a shell would understand it."""
    if not text.isprintable():
        msg = f"{clean(text)} can't stand in a configuration: it is not printable"
        raise ValueError(msg)
    path = Path(text).expanduser()
    if not path.is_file():
        what = "is a directory" if path.is_dir() else "is not there"
        msg = f"{path} {what}: name a file"
        raise ValueError(msg)
    return path
