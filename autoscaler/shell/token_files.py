"""Files with one secret text: a token that opens, a key that signs.

Law: one that others than its owner may read is not used.
"""

import os
import re
import stat
from pathlib import Path

# openssl rand -hex 32 makes 64 characters; nobody guesses 32 random ones.
SHORTEST, LONGEST = 32, 512
# rfc6750, 2.1 - what a token, b64token there, is made of.
_TOKEN = re.compile(rb"[A-Za-z0-9._~+/-]+=*")
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


def _check_mode(path: Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        msg = f"{path} is no regular file"
        raise TokenError(msg)
    if mode & (stat.S_IRGRP | stat.S_IROTH):
        msg = f"{path} can be read by others than its owner: chmod 600 it"
        raise TokenError(msg)
