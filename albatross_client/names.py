"""Names of unikernels and domains, as Albatross writes them.

A name is a path of labels and, for a unikernel, a last label after it:
``user:web`` is the unikernel ``web`` in the domain ``user``, ``user:`` is the
domain alone, ``:web`` a unikernel at the root, ``:`` the root.
"""

import re
from functools import lru_cache
from typing import Self

from attrs import field, frozen

# name.ml:Label - 1 to 63 of these characters, the first no dash; lower-cased
# when read, so equality of names is equality of texts.
_LABEL = re.compile(r"[a-z0-9.][a-z0-9.-]{0,62}", re.ASCII)
_MAX_LABEL = 63
# Of a text that is no name: whoever sent it may have sent megabytes.
_MAX_QUOTED = 100


def is_label(text: str) -> bool:
    """Tell whether *text*, once lower-cased, is one component of a name."""
    return text.isascii() and _LABEL.fullmatch(text.lower()) is not None


def _valid_path(_instance: object, _attribute: object, path: tuple[str, ...]) -> None:
    for component in path:
        _valid_label(_instance, _attribute, component)


def _valid_label(_instance: object, _attribute: object, label: str | None) -> None:
    if label is not None and _LABEL.fullmatch(label) is None:
        msg = (
            f"{_quoted(label)} is not a label: 1 to {_MAX_LABEL} of a-z, 0-9, '.' and "
            "'-', the first not '-'"
        )
        raise ValueError(msg)


@frozen(cache_hash=True, order=True)
class Name:
    """A unikernel (*label* is set) or a domain (*label* is None).

    Attributes:
        path: The labels of the domain, outermost first; empty at the root.
        label: The unikernel's own label.

    Raises:
        ValueError: A component is not a label in lower case.
    """

    path: tuple[str, ...] = field(validator=_valid_path)
    label: str | None = field(default=None, validator=_valid_label)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read *text* as hosts do: ``a:b``, ``:b``, ``b``, ``a:`` and ``:``.

        Raises:
            ValueError: *text* is no name; the message quotes it.
        """
        # name.ml:of_string - one leading colon is allowed, and the last
        # component is the label unless the text ends with a colon.
        if not text:
            msg = "a name may not be empty"
            raise ValueError(msg)
        if text == ":":
            return cls((), None)
        *path, label = text.removeprefix(":").split(":")
        for component in [*path, *([label] if label or not path else [])]:
            if not is_label(component):
                msg = (
                    f"{_quoted(text)} is not a name: components of 1 to {_MAX_LABEL} "
                    "letters, digits, '.' and '-' (not first), joined by ':'"
                )
                raise ValueError(msg)
        # Only now: lower() makes ASCII of some other letters.
        return cls(tuple(part.lower() for part in path), label.lower() or None)

    def __str__(self) -> str:
        """Return the text hosts write: ``a:b``, ``:b``, ``a:`` or ``:``."""
        return (
            ":".join((*self.path, self.label or ""))
            if self.path
            else (f":{self.label or ''}")
        )

    @property
    def domain(self) -> "Name":
        """The path alone: of ``a:b:web`` it is ``a:b:``."""
        return self if self.label is None else _domain(self.path)

    def under(self, base: "Name") -> "Name":
        """Return the absolute name of this one, relative to *base*'s path.

        Hosts name things relative to the path that was asked.
        """
        return Name(base.path + self.path, self.label) if base.path else self

    def is_within(self, domain: "Name") -> bool:
        """Tell whether this name lies in *domain*'s path or below it."""
        return self.path[: len(domain.path)] == domain.path


def _quoted(text: str) -> str:
    return repr(text if len(text) <= _MAX_QUOTED else f"{text[:_MAX_QUOTED]}...")


@lru_cache(maxsize=1024)
def _domain(path: tuple[str, ...]) -> Name:
    # Asked for with every event of every group, and checked once.
    return Name(path)


ROOT = Name(())
