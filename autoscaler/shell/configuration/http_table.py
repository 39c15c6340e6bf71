"""The `[http]` table: where the daemon answers over HTTP, and to whom."""

from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from pathlib import Path

from attrs import frozen

from autoscaler.core.backend import Place as Listening
from autoscaler.shell.configuration.keys import SWITCH, Key
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


HTTP_KEYS: Mapping[str, Key] = {
    "listen": Key(
        _place, 'an IP address and a port, such as "127.0.0.1:9090" or "[::1]:9090"'
    ),
    "allow_remote": SWITCH,
    "hosts": Key(
        _hosts,
        'a list of host names without ports, such as ["autoscaler.example.org"], '
        f"at most {MOST_HOSTS}",
    ),
}


@frozen(kw_only=True)
class HttpSettings:
    """Where the daemon answers over HTTP.

    Attributes:
        listen: The address.
        allow_remote: Whether that may be more than this machine.
        hosts: Names by which clients may call it, beside its address and those
            of this machine's loopback.

    Raises:
        ValueError: Others could reach it, and nobody said that they may.
    """

    listen: Listening
    allow_remote: bool = False
    hosts: tuple[str, ...] = ()

    def __attrs_post_init__(self) -> None:
        if not self.is_loopback and not self.allow_remote:
            msg = (
                f'listen = "{self.listen}" can be reached by other machines: take a '
                'loopback address such as "127.0.0.1:9090", or say allow_remote = true'
            )
            raise ValueError(msg)

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches it."""
        return ip_address(self.listen.address).is_loopback


_SHAPE = Shape(HttpSettings, HTTP_KEYS, frozenset(HTTP_KEYS))


def read_http(
    table: object, file: Path
) -> tuple[HttpSettings | None, tuple[Problem, ...]]:
    """Return what a parsed `http` says, and all that is wrong with it."""
    place = Place(file, f"[{TABLE}]")
    if table is None:
        return None, ()
    if not isinstance(table, Mapping):
        return None, (place.problem("must be a table"),)
    return _SHAPE.read(table, place)


def doubts(http: HttpSettings) -> Iterator[tuple[str, str]]:
    """Yield the keys of *http* that are probably not meant so, and why."""
    if not http.is_loopback:
        says = (
            f"whoever reaches {http.listen} reads names, usage and decisions of all "
            "groups, without a password and unencrypted: a proxy before a loopback "
            "address can ask for both"
        )
        yield "listen", says
    if ip_address(http.listen.address).is_unspecified and not http.hosts:
        says = (
            f"{http.listen} is no address that a client calls: without hosts only "
            "this machine is answered"
        )
        yield "hosts", says
