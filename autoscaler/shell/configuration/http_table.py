"""The `[http]` table: where the daemon answers over HTTP, and to whom."""

from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from pathlib import Path

from attrs import frozen

from autoscaler.core.backend import Place as Listening
from autoscaler.shell.configuration import forms
from autoscaler.shell.configuration.keys import SWITCH, Key, a_path
from autoscaler.shell.configuration.problems import Place, Problem
from autoscaler.shell.configuration.tables import Shape

TABLE = "http"
# rfc1035, 2.3.4 - "names: 255 octets or less"
LONGEST_HOST = 255
MOST_HOSTS = 64


def _place(value: object) -> Listening:
    if not isinstance(value, str):
        raise ValueError  # noqa: TRY004 - any value but an allowed one
    return Listening.parse(value)


def _hosts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > MOST_HOSTS:
        raise ValueError
    return tuple(_host(each) for each in value)


def _host(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_HOST:
        raise ValueError
    if not all(c.isascii() and (c.isalnum() or c in "-._") for c in value):
        raise ValueError
    return value.lower()


def http_keys(base: Path) -> Mapping[str, Key]:
    """Return the keys of `[http]`, paths relative to *base*."""
    return {
        "listen": Key(
            _place,
            'an IP address and a port, such as "127.0.0.1:9090" or "[::1]:9090"',
            forms.LISTENING,
        ),
        "allow_remote": SWITCH,
        "hosts": Key(
            _hosts,
            'a list of host names without ports, such as ["autoscaler.example.org"], '
            f"at most {MOST_HOSTS}",
            {**forms.TEXTS, "maxItems": MOST_HOSTS},
        ),
        "token_file": a_path(base),
        "token_for_reading": SWITCH,
    }


@frozen(kw_only=True)
class HttpSettings:
    """Where the daemon answers over HTTP.

    Attributes:
        listen: The address.
        allow_remote: Whether that may be more than this machine.
        hosts: Names by which clients may call it, beside its address and those
            of this machine's loopback.
        token_file: What holds the token that allows changes; None: nothing is
            changed.
        token_for_reading: Whether it is needed to read, too.

    Raises:
        ValueError: Others could reach it, and nobody said that they may; or a
            token is needed that there isn't.
    """

    listen: Listening
    allow_remote: bool = False
    hosts: tuple[str, ...] = ()
    token_file: Path | None = None
    token_for_reading: bool = False

    def __attrs_post_init__(self) -> None:
        if not self.is_loopback and not self.allow_remote:
            msg = (
                f'listen = "{self.listen}" can be reached by other machines: take a '
                'loopback address such as "127.0.0.1:9090", or say allow_remote = true'
            )
            raise ValueError(msg)
        if self.token_for_reading and self.token_file is None:
            msg = "token_for_reading needs a token_file"
            raise ValueError(msg)

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches it."""
        return ip_address(self.listen.address).is_loopback


def read_http(
    table: object, file: Path
) -> tuple[HttpSettings | None, tuple[Problem, ...]]:
    """Return what a parsed `http` says, and all that is wrong with it."""
    place = Place(file, f"[{TABLE}]")
    if table is None:
        return None, ()
    if not isinstance(table, Mapping):
        return None, (place.problem("must be a table"),)
    keys = http_keys(file.parent)
    return Shape(HttpSettings, keys, frozenset(keys)).read(table, place)


def doubts(http: HttpSettings) -> Iterator[tuple[str, str]]:
    """Yield the keys of *http* that are probably not meant so, and why."""
    if not http.is_loopback and not http.token_for_reading:
        says = (
            f"whoever reaches {http.listen} reads names, usage and decisions of all "
            "groups, without a password and unencrypted: a proxy before a loopback "
            "address can ask for both"
        )
        yield "listen", says
    if not http.is_loopback and http.token_file is not None:
        says = (
            f"the token crosses the network unencrypted to {http.listen}, and whoever "
            "sees it can change groups: a proxy before a loopback address encrypts it"
        )
        yield "token_file", says
    if ip_address(http.listen.address).is_unspecified and not http.hosts:
        says = (
            f"{http.listen} is no address that a client calls: without hosts only "
            "this machine is answered"
        )
        yield "hosts", says
