"""How ``--help`` looks: paragraphs are wrapped, examples are left alone."""

import argparse


class Formatter(argparse.HelpFormatter):
    """Wraps one paragraph, and leaves alone what has lines of its own."""

    def add_argument(self, action: argparse.Action) -> None:
        """Leave room for subcommands, which are indented once more."""
        super().add_argument(action)
        if action.nargs == argparse.PARSER:
            self._action_max_length += self._indent_increment

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        if "\n" in text.strip():
            return "".join(f"{indent}{line}" for line in text.splitlines(keepends=True))
        return super()._fill_text(text, width, indent)


def examples(*lines: tuple[str, str]) -> str:
    """Return what stands below options: command lines, and what each does."""
    shown = ["examples:"]
    for line, meaning in lines:
        shown.append(f"  {line}")
        if meaning:
            shown.append(f"      {meaning}")
    return "\n".join(shown) + "\n"
