"""A configuration put in its place: whole, or not at all.

Laws: a file that is there is replaced only where that was said; nobody but its
owner may read it, unless the one it replaces was for others too.
"""

import os
import stat
import tempfile
from pathlib import Path

from albatross_client.texts import clean
from autoscaler.cli.setting_up.asking import UnsettledError

OWNERS_ALONE = 0o600
# Of a file that is replaced, nobody gets more than this.
GROUPS_TOO = 0o640


def require_room(file: Path, *, may_replace: bool) -> None:
    """Refuse a *file* that can't be written, before anything is asked.

    Raises:
        UnsettledError: It is there already, or can't be.
    """
    directory = file.parent
    if not directory.is_dir():
        msg = f"{clean(str(directory))} is no directory: make it, or say --output"
        raise UnsettledError(msg)
    if not os.access(directory, os.W_OK | os.X_OK):
        msg = f"{clean(str(directory))} can't be written: say --output, or be its owner"
        raise UnsettledError(msg)
    if file.is_dir():
        msg = f"{clean(str(file))} is a directory: --output is a file in it"
        raise UnsettledError(msg)
    if os.path.lexists(file) and not may_replace:
        raise _there_already(file)


def place(file: Path, text: str, *, may_replace: bool) -> None:
    """Write *text* to *file*.

    Raises:
        UnsettledError: It is there already, or can't be written.
    """
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
        draft = Path(name)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as out:
                os.fchmod(descriptor, _mode(file))
                _give_away(descriptor, file)
                out.write(text)
                out.flush()
                os.fsync(descriptor)
            if may_replace:
                draft.replace(file)
            else:
                # Unlike a rename this fails if somebody else was quicker.
                os.link(draft, file)
        finally:
            draft.unlink(missing_ok=True)
    except FileExistsError as error:
        raise _there_already(file) from error
    except OSError as error:
        msg = f"{clean(str(file))} can't be written: {error.strerror}"
        raise UnsettledError(msg) from error


def _mode(file: Path) -> int:
    try:
        before = stat.S_IMODE(file.stat().st_mode)
    except OSError:
        return OWNERS_ALONE
    return OWNERS_ALONE | (before & GROUPS_TOO)


def _give_away(descriptor: int, file: Path) -> None:
    """Give a file that root writes to whom its place belongs.

    Or the daemon, which runs as another user, could not read it.
    """
    if os.geteuid() == 0:
        owner = (file if file.exists() else file.parent).stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)


def _there_already(file: Path) -> UnsettledError:
    msg = (
        f"{clean(str(file))} is there already, and was not touched: --force replaces "
        "it, --output FILE writes another"
    )
    return UnsettledError(msg)
