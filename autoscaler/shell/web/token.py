"""The token that allows changes over HTTP: read from its file, compared.

Laws: a file that others than its owner may read is not used; a comparison takes
as long for every wrong token; the token is written nowhere.
"""

import hashlib
import hmac
import os
import re
import stat
from pathlib import Path

import trio
from attrs import define, field

from autoscaler.shell.log import Log
from autoscaler.shell.web.gate import Refusal

# openssl rand -hex 32 makes 64 characters; nobody guesses 32 random ones.
SHORTEST, LONGEST = 32, 512
# rfc6750, 2.1 - what a token, b64token there, is made of.
_TOKEN = re.compile(rb"[A-Za-z0-9._~+/-]+=*")
_BEARER = re.compile(r"bearer +(\S+) *", re.IGNORECASE)
MAKE_ONE = "(umask 077; openssl rand -hex 32 > FILE)"


class TokenError(Exception):
    """The token file can't be used; one sentence for the operator."""


def read_token(path: Path) -> bytes:
    """Return the token in the file at *path*.

    Raises:
        TokenError: It can't be used.
    """
    try:
        # O_NONBLOCK: nobody may ever write into a pipe of that name.
        number = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            # Of the file that is open: another may take its place meanwhile.
            _check_mode(path, os.fstat(number).st_mode)
            text = os.read(number, LONGEST + 2).strip()
        finally:
            os.close(number)
    except OSError as error:
        msg = f"{path} can't be read: {error.strerror}"
        raise TokenError(msg) from error
    if not SHORTEST <= len(text) <= LONGEST or not _TOKEN.fullmatch(text):
        msg = (
            f"{path} must hold one token of {SHORTEST} to {LONGEST} letters, digits "
            f"and -._~+/, such as {MAKE_ONE} writes"
        )
        raise TokenError(msg)
    return text


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


def _check_mode(path: Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        msg = f"{path} is no regular file"
        raise TokenError(msg)
    if mode & (stat.S_IRGRP | stat.S_IROTH):
        msg = f"{path} can be read by others than its owner: chmod 600 it"
        raise TokenError(msg)


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
