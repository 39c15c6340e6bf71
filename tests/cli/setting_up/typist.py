"""Whoever types the answers."""

import io


class Typist(io.StringIO):
    """Somebody at a terminal, who types these lines and leaves."""

    def __init__(self, *lines):
        super().__init__("".join(f"{line}\n" for line in lines))

    def isatty(self):
        return True
