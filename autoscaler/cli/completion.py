"""`autoscaler completion`: scripts by which shells complete both commands.

They are made from the parsers, so that no word is written down twice; names of
groups come from the configuration that the command line names.
"""

import argparse
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from albatross_client.cli.help import Formatter
from albatross_client.cli.main import whole_parser as albatrossctl
from albatross_client.texts import escaped
from autoscaler.cli.output import complain

SHELLS = ("bash", "zsh", "fish")
GROUPS: Final = "groups"
PROGRAMS = ("autoscaler", "albatrossctl")
_EPILOGUE = """\
examples:
  eval "$(autoscaler completion bash)"      in ~/.bashrc
  eval "$(autoscaler completion zsh)"       in ~/.zshrc, after compinit
  autoscaler completion fish | source       in ~/.config/fish/config.fish
  autoscaler completion bash --program albatrossctl
                                            for that command alone
  autoscaler completion groups --config FILE

Names of groups are completed where --config FILE stands before them.
"""


def add_command(
    subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> None:
    """Add ``completion``."""
    parser = subparsers.add_parser(
        "completion",
        help="print what makes a shell complete both commands",
        description="Print a script by which a shell completes subcommands, options, "
        "files and groups of autoscaler and albatrossctl.",
        epilog=_EPILOGUE,
        formatter_class=Formatter,
    )
    parser.add_argument(
        "shell",
        metavar="SHELL",
        choices=(*SHELLS, GROUPS),
        help="bash, zsh or fish; or groups: print the names of the groups of FILE, as "
        "those scripts ask for them",
    )
    parser.add_argument(
        "--program", choices=PROGRAMS, help="only this command; default: both"
    )
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="the configuration with the groups"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print a script, or names of groups; return the exit code."""
    if arguments.shell == GROUPS:
        if arguments.config is None:
            complain("completion groups: say which, by --config FILE")
            return 2
        return _print_groups(arguments.config)
    if arguments.config is not None:
        complain(f"completion {arguments.shell}: --config is for groups alone")
        return 2
    for program in PROGRAMS:
        if arguments.program in {None, program}:
            sys.stdout.write(script(program, arguments.shell))
    return 0


def script(program: str, shell: str) -> str:
    """Return what makes *shell* complete *program*."""
    # 20 ms that nothing else needs.
    import shtab  # noqa: PLC0415 - see above

    parser = _parser(program)
    for action in _actions(parser):
        _mark(action, shtab.FILE, shtab.DIRECTORY)
    made = shtab.complete(parser, shell=shell)
    if shell == "bash":
        made += _WHOLE_WORDS.replace("PROGRAM", program)
    return f"{made}\n"


def _parser(program: str) -> argparse.ArgumentParser:
    if program == "albatrossctl":
        return albatrossctl()
    # It imports this module.
    from autoscaler.cli.main import whole_parser  # noqa: PLC0415 - see above

    return whole_parser()


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Return all options and arguments of *parser* and its subcommands."""
    for action in parser._actions:  # noqa: SLF001 - there is no public way
        if isinstance(action.choices, Mapping):
            for each in action.choices.values():
                yield from _actions(each)
        else:
            yield action


def _mark(action: argparse.Action, file: object, directory: object) -> None:
    """Say what *action* is completed with."""
    if action.metavar == "GROUP":
        vars(action)["complete"] = _GROUPS
    elif action.type is Path or action.metavar in {"FILE", "DIR"}:
        is_directory = action.dest in {"directory", "state_dir"}
        vars(action)["complete"] = directory if is_directory else file


def _print_groups(config: Path) -> int:
    try:
        tables = tomllib.loads(config.read_text("utf-8"))
    except OSError as error:
        complain(f"{config}: can't be read: {error.strerror}")
        return 1
    except ValueError as error:
        complain(f"{config}: is not TOML: {error}")
        return 1
    print("\n".join(map(escaped, group_names(tables))))
    return 0


def group_names(tables: Mapping[str, object]) -> tuple[str, ...]:
    """Return the names of the groups in *tables*, each as short as may be.

    What is wrong in them is `check`'s: it isn't completed.
    """
    found = [(_text(g, "host"), _name(g)) for g in _tables(tables, "groups")]
    hosts = [_text(host, "name") for host in _tables(tables, "hosts")]
    only = hosts[0] if len(hosts) == 1 else None
    named = [(host or only, name) for host, name in found if name is not None]
    count = Counter(name for _, name in named)
    return tuple(
        name if count[name] == 1 or host is None else f"{host}/{name}"
        for host, name in named
    )


def _tables(tables: Mapping[str, object], key: str) -> list[Mapping[str, object]]:
    found = tables.get(key)
    return [t for t in found if isinstance(t, dict)] if isinstance(found, list) else []


def _name(group: Mapping[str, object]) -> str | None:
    return _text(group, "primary") or _text(group, "name")


def _text(table: Mapping[str, object], key: str) -> str | None:
    found = table.get(key)
    return found if isinstance(found, str) else None


_GROUPS: Final = {
    "bash": "_albatross_groups",
    "zsh": "_albatross_groups",
    "fish": "(_albatross_groups)",
    "preamble": {
        "bash": """\
_albatross_groups() {
  local place
  for ((place = 1; place < COMP_CWORD - 1; place++)); do
    if [[ ${COMP_WORDS[place]} == --config ]]; then
      local file=${COMP_WORDS[place + 1]/#\\~/$HOME}
      compgen -W "$(autoscaler completion groups --config "$file" 2>/dev/null)" -- "$1"
    fi
  done
}
""",
        "zsh": """\
_albatross_groups() {
  local place=${words[(i)--config]}
  (( place < CURRENT - 1 )) || return 1
  local names=(${(f)"$(autoscaler completion groups --config ${~words[place + 1]} \\
    2>/dev/null)"})
  compadd -a names
}
""",
        "fish": """\
function _albatross_groups
  set -l words (commandline -opc)
  set -l place (contains -i -- --config $words)
  and autoscaler completion groups --config $words[(math $place + 1)] 2>/dev/null
end
""",
    },
}
# bash(1), READLINE - a colon ends a word, and the names of unikernels have one:
# words are put together before they are looked at, and what was before the last
# colon is taken off what is found.
_WHOLE_WORDS: Final = """

_albatross_whole_words_PROGRAM() {
  local -a words=()
  local place word cword=0 previous=
  for ((place = 0; place < ${#COMP_WORDS[@]}; place++)); do
    word=${COMP_WORDS[place]}
    if ((place > 1)) && [[ $word == :* || $previous == *: ]]; then
      words[${#words[@]} - 1]+=$word
    else
      words+=("$word")
    fi
    previous=$word
    ((place == COMP_CWORD)) && cword=$((${#words[@]} - 1))
  done
  local -a COMP_WORDS=("${words[@]}")
  local COMP_CWORD=$cword
  _shtab_PROGRAM "$@"
  local current=${COMP_WORDS[COMP_CWORD]}
  if [[ $current == *:* && $COMP_WORDBREAKS == *:* ]]; then
    local before=${current%"${current##*:}"}
    COMPREPLY=("${COMPREPLY[@]#"$before"}")
  fi
}
complete -o bashdefault -F _albatross_whole_words_PROGRAM PROGRAM
"""
