"""Foreign text made fit for a line: what hosts say is not trusted to be one."""

LONGEST = 500


def clean(text: str, longest: int = LONGEST) -> str:
    """Return *text* on one line, printable, of at most *longest* characters.

    What a terminal would obey, or a reader would take for a line of ours, is
    written as an escape.
    """
    # Cut first: a hostile text may be of any length.
    cut = text[:longest]
    if not cut.isprintable():
        cut = "".join(c if c.isprintable() else _escape(c) for c in cut)
    if len(text) <= longest and len(cut) <= longest:
        return cut
    return f"{cut[: longest - 3]}..."


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
