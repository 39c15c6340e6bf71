"""The token that allows changes over HTTP: read from its file, compared.

Laws: a file that others than its owner may read is not used; a comparison takes
as long for every wrong token; the token is written nowhere.
"""

import hashlib
import hmac
import re
from pathlib import Path

import trio
from attrs import define, field

from autoscaler.shell.log import Log
from autoscaler.shell.token_files import TokenError, read_token
from autoscaler.shell.web.gate import Refusal

_BEARER = re.compile(r"bearer +(\S+) *", re.IGNORECASE)


@define(eq=False)
class Lock:
    """Opens to who has the token; its file may change.

    Attributes:
        path: The file.
        log: Told when the file can't be used.
    """

    path: Path
    log: Log
    _stamp: tuple[int, ...] | None = field(default=None, init=False)
    _digest: bytes | None = field(default=None, init=False)
    _turn: trio.Lock = field(factory=trio.Lock, init=False)

    async def look(self, authorization: str | None) -> Refusal | None:
        """Return why the header *authorization* doesn't open; None: it does."""
        digest = await self._current()
        if digest is None:
            return Refusal(503, "the token file can't be used: the log says why")
        if authorization is None:
            return Refusal(401, "this needs a token: Authorization: Bearer TOKEN")
        given = _BEARER.fullmatch(authorization)
        if given is None:
            says = "the token must be told as Authorization: Bearer TOKEN"
            return Refusal(401, says)
        # Of digests, so that not even the token's length is to be seen.
        told = _digest(given[1].encode("utf-8", "replace"))
        if not hmac.compare_digest(told, digest):
            return Refusal(401, "this is not the token")
        return None

    async def try_out(self) -> None:
        """Say in the log if the file can't be used, before it is needed."""
        await self._current()

    async def _current(self) -> bytes | None:
        """Return the digest of the token as it is now; None: there is none."""
        async with self._turn:
            stamp = await trio.to_thread.run_sync(_stamp, self.path)
            if stamp is None or stamp != self._stamp:
                self._digest, self._stamp = await self._read(), stamp
            return self._digest

    async def _read(self) -> bytes | None:
        try:
            return _digest(await trio.to_thread.run_sync(read_token, self.path))
        except TokenError as error:
            self.log.event("http_token_refused", error=str(error))
            return None


def _digest(token: bytes) -> bytes:
    return hashlib.sha256(token).digest()


def _stamp(path: Path) -> tuple[int, ...] | None:
    """Return what changes with the file, None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return (
        found.st_ino,
        found.st_dev,
        found.st_size,
        found.st_mtime_ns,
        found.st_ctime_ns,
    )
