"""The style and the script of pages, at addresses that change with them.

So a browser may keep them for as long as it likes, and never has an old one.
"""

import gzip
from collections.abc import Mapping
from hashlib import sha256
from importlib.resources import files

from attrs import frozen

DIRECTORY = "/static/"
_TYPES: Mapping[str, str] = {
    "page.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}


@frozen
class StaticFile:
    """One file.

    Attributes:
        content: All of it.
        packed: The same as gzip packs it.
        content_type: What it is.
    """

    content: bytes
    packed: bytes
    content_type: str


def _read() -> Mapping[str, tuple[str, StaticFile]]:
    folder = files("autoscaler.shell.web.pages") / "static"
    found: dict[str, tuple[str, StaticFile]] = {}
    for name, content_type in _TYPES.items():
        content = (folder / name).read_bytes()
        stem, _, suffix = name.partition(".")
        address = f"{stem}.{sha256(content).hexdigest()[:12]}.{suffix}"
        packed = gzip.compress(content, mtime=0)
        found[name] = address, StaticFile(content, packed, content_type)
    return found


_FOUND = _read()
FILES: Mapping[str, StaticFile] = dict(_FOUND.values())
ADDRESSES: Mapping[str, str] = {
    name.replace(".", "_"): DIRECTORY + address for name, (address, _) in _FOUND.items()
}
