"""What is wrong with a configuration: as data, so that all of it is told."""

import difflib
import json
from collections.abc import Iterable
from pathlib import Path

from attrs import frozen

from albatross_client.texts import escaped

MAX_SHOWN = 60


@frozen
class Place:
    """A table of a configuration file.

    Attributes:
        file: The configuration.
        table: As operators find it: its name, its number where there are
            several (from 1), and the name that it gives; None: the file.
    """

    file: Path
    table: str | None = None

    def problem(
        self, complaint: str, key: str | None = None, value: object = None
    ) -> "Problem":
        """Return what is wrong here, with *value* as it would be written."""
        return Problem(
            self.file,
            self.table,
            key,
            None if value is None else show(value),
            complaint,
        )


@frozen
class Problem:
    """One thing that is wrong.

    Attributes:
        file: The configuration.
        table: Which table; None: the file as a whole.
        key: Which key; None: the table as a whole.
        value: What stands there, as it would be written; None: nothing.
        complaint: What is wrong with it, and what is allowed.
    """

    file: Path
    table: str | None
    key: str | None
    value: str | None
    complaint: str

    def __str__(self) -> str:
        key = self.key
        if key is not None and self.value is not None:
            key = f"{key} = {self.value}"
        parts = (str(self.file), self.table, key, self.complaint)
        # Keys are as free as texts are.
        return escaped(": ".join(part for part in parts if part is not None))


class SettingsError(Exception):
    """A configuration that cannot be used.

    Attributes:
        problems: All that is wrong with it.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def show(value: object) -> str:
    """Return *value* as TOML writes it, on one line and not too long."""
    try:
        # JSON's texts, numbers and lists are TOML's, with escapes for all
        # that would not be one printable line.
        text = json.dumps(value)
    except (TypeError, ValueError):
        text = str(value) if not isinstance(value, dict | list) else "..."
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 3]}..."


def titled(kind: str, number: int, name: str | None) -> str:
    """Return how operators find a table: kind, number from 1, and its name."""
    title = f"[[{kind}]] #{number}"
    return title if not name else f"{title} ({show(name)[1:-1]})"


def unknown(kind: str, word: str, known: Iterable[str]) -> str:
    """Return the complaint about *word*, with what was probably meant."""
    known = sorted(known)
    if not known:
        return f"unknown {kind}; there are none"
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    if near:
        return f"unknown {kind}; did you mean {near[0]}?"
    return f"unknown {kind}; known are {', '.join(known)}"
