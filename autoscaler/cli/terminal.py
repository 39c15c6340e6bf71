"""What a terminal shows: more than lines, and more than ASCII, or not."""

from collections.abc import Mapping

# PEP 538 - what Python sets LC_CTYPE to where it finds the C locale.
_COERCED = frozenset({"C.UTF-8", "C.utf8", "UTF-8"})
_C_LOCALE = frozenset({"C", "POSIX"})


def is_dumb(environment: Mapping[str, str]) -> bool:
    """Tell whether the terminal of *environment* knows no control codes."""
    return environment.get("TERM", "dumb") in {"", "dumb"}


def speaks_unicode(environment: Mapping[str, str], encoding: str | None) -> bool:
    """Tell whether a terminal shows more than ASCII.

    Arguments:
        environment: Of the process.
        encoding: That of standard output.
    """
    said = _locale(environment)
    return all("utf8" in x.lower().replace("-", "") for x in (said, encoding or ""))


def _locale(environment: Mapping[str, str]) -> str:
    # locale(7) - the first of these that is set says it.  Python writes UTF-8
    # in the C locale too (PEP 540), and sets LC_CTYPE to tell its children:
    # what it writes says nothing of who reads.
    everything, characters, rest = (
        environment.get(name, "") for name in ("LC_ALL", "LC_CTYPE", "LANG")
    )
    if characters in _COERCED and rest in _C_LOCALE:
        characters = rest
    return everything or characters or rest
