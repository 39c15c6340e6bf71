"""Foreign text made fit for a line: what hosts say is not trusted to be one.

Whoever runs a unikernel chooses its arguments and what it prints; a host
chooses what it says of failures.  None of it may move a terminal's cursor,
look like a line of ours, or stop a program that reads our JSON.
"""

import re

LONGEST = 500
# Foreign bytes are kept as these (PEP 383); they are no Unicode.
_LONE_SURROGATES = re.compile("[\ud800-\udfff]")


def clean(text: str, longest: int = LONGEST) -> str:
    """Return *text* on one line, printable, of at most *longest* characters.

    What a terminal would obey, or a reader would take for a line of ours, is
    written as an escape.
    """
    # Cut first: a hostile text may be of any length.
    cut = escaped(text[:longest])
    if len(text) <= longest and len(cut) <= longest:
        return cut
    return f"{cut[: longest - 3]}..."


def escaped(text: str) -> str:
    """Return *text* with all that isn't printable as escapes, however long."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _escape(c) for c in text)


def as_unicode(value: object) -> object:
    """Return *value*, as JSON has them, with escapes for what is no Unicode.

    Strict readers refuse a whole document for one lone surrogate.
    """
    match value:
        case str():
            return _LONE_SURROGATES.sub(lambda found: _escape(found[0]), value)
        case dict():
            return {as_unicode(key): as_unicode(each) for key, each in value.items()}
        case list() | tuple():
            return [as_unicode(each) for each in value]
        case _:
            return value


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
