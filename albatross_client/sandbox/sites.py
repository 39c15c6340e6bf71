"""Where a unikernel of the sandbox serves HTTP, by its arguments.

MirageOS unikernels have their address from ``--ipv4=10.0.42.2/24`` or
``--ipv6=...``; in the sandbox addresses of loopback can be served at.
"""

from collections.abc import Iterable
from ipaddress import IPv4Interface, IPv6Interface, ip_interface

from attrs import frozen

DEFAULT_PORT = 8080
_MOST_PORT = 65_535


@frozen
class Site:
    """An address of loopback, and a TCP port."""

    address: str
    port: int = DEFAULT_PORT


def site_of(arguments: Iterable[str]) -> Site | None:
    """Return where a unikernel with *arguments* serves; None: nowhere.

    That is ``--ipv4=`` (before ``--ipv6=``) of loopback, and ``--port=``.  One
    that has no such address, or a port that is none, runs and serves nothing,
    as on a host whose network it doesn't fit.
    """
    pairs = [argument.partition("=") for argument in arguments]
    values = {key: value for key, _, value in pairs}
    text = values.get("--ipv4", values.get("--ipv6"))
    interface = None if text is None else _interface(text)
    port = _port(values.get("--port", str(DEFAULT_PORT)))
    if interface is None or port is None or not interface.ip.is_loopback:
        return None
    return Site(str(interface.ip), port)


def _interface(text: str) -> IPv4Interface | IPv6Interface | None:
    try:
        return ip_interface(text)
    except ValueError:
        return None


def _port(text: str) -> int | None:
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(_MOST_PORT))):
        return None
    return int(text) if 0 < int(text) <= _MOST_PORT else None
