"""`autoscaler pause`, `resume`, `adopt` and the like: ask the daemon."""

import argparse
from collections.abc import Mapping

from attrs import frozen

from albatross_client.cli.help import Formatter, examples
from albatross_client.texts import clean
from autoscaler.cli.options import add_config
from autoscaler.cli.output import complain, print_json
from autoscaler.shell.configuration.settings import SettingsError, load_settings
from autoscaler.shell.operators.control import ControlError, ask
from autoscaler.shell.operators.requests import Reply, Request


@frozen
class Asking:
    """A subcommand that the daemon answers.

    Attributes:
        about: The word of the request that its argument is; None: it has none.
        description: What happens, for the help.
        examples: Command lines without ``--config``, and what each does.
    """

    about: str | None
    description: str
    examples: tuple[tuple[str, str], ...]


ASKINGS: Mapping[str, Asking] = {
    "reload": Asking(
        None,
        "Have the daemon read its configuration again, all of it or nothing: if "
        "anything is wrong, the old one stays in force and all is told.",
        (("reload", ""),),
    ),
    "pause": Asking(
        "group",
        "Have the daemon neither decide nor do anything, for one group or for all. "
        "It holds over restarts, until `resume`.",
        (("pause user:web", ""), ("pause", "all groups")),
    ),
    "observe": Asking(
        "group",
        "Have the daemon decide, but do nothing, for one group or for all. It "
        "holds over restarts, until `resume`.",
        (("observe alpha/user:web", ""), ("observe", "all groups")),
    ),
    "resume": Asking(
        "group",
        "Take back `pause` and `observe`, and end a stand-down: the daemon does "
        "again what its configuration allows.",
        (("resume user:web", ""), ("resume", "all groups")),
    ),
    "scale": Asking(
        "group",
        "Have a group become as large as that, once, within its min_clones and "
        "max_clones and what its host allows. It waits for no cooldown, and starts "
        "one: after it the load decides again.",
        (("scale user:web 3", "three clones beside the primary"),),
    ),
    "adopt": Asking(
        "name",
        "Say that a unikernel with a clone's name is the daemon's own: it may be "
        "destroyed. With --all, that nothing is left to be said by name after the "
        "state was lost.",
        (
            ("adopt user:web-clone-4", ""),
            ("adopt --all", "once all was looked at, after the state was lost"),
        ),
    ),
    "disown": Asking(
        "name",
        "Say that a clone is not the daemon's: it is left alone until `adopt`.",
        (("disown alpha/user:web-clone-4", ""),),
    ),
    "prewarm": Asking(
        "group",
        "Have N members of a group stand by, booted and checked, for as long as "
        "its `max_idle` says; tells how many of them are possible. 0 takes it back.",
        (("prewarm user:web 4", ""), ("prewarm user:web 0", "takes it back")),
    ),
}
# What is asked for in numbers: by which word, and what it means.
COUNTED: Mapping[str, tuple[str, str]] = {
    "scale": (
        "clones",
        "how many clones, beside the primary; of a managed group members",
    ),
    "prewarm": ("count", "how many members"),
}


def add_asking(
    subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]",
    verb: str,
    purpose: str,
) -> None:
    """Add the subcommand *verb*."""
    asking = ASKINGS[verb]
    shown = ((f"autoscaler {x} --config FILE", why) for x, why in asking.examples)
    parser = subparsers.add_parser(
        verb,
        help=purpose,
        description=asking.description,
        epilog=examples(*shown),
        formatter_class=Formatter,
    )
    if asking.about == "group":
        is_one = verb in COUNTED
        text = "PRIMARY or HOST/PRIMARY"
        parser.add_argument(
            "group",
            nargs=None if is_one else "?",
            metavar="GROUP",
            help=text if is_one else f"{text}; without it: all groups",
        )
    if verb in COUNTED:
        word, text = COUNTED[verb]
        parser.add_argument(word, metavar="N", help=text)
    if asking.about == "name":
        # With --all there is a group instead, or nothing.
        count = "?" if verb == "adopt" else None
        parser.add_argument(
            "name", nargs=count, metavar="NAME", help="PATH:LABEL or HOST/PATH:LABEL"
        )
    if verb == "adopt":
        parser.add_argument(
            "--all",
            action="store_true",
            help="follow `adopt` of the configuration again, for all groups",
        )
    add_config(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run, verb=verb)


def run(arguments: argparse.Namespace) -> int:
    """Ask, and tell the answer; return the exit code."""
    request = _request(arguments)
    if request is None:
        complain("adopt: say either a NAME or --all")
        return 2
    try:
        settings = load_settings(arguments.config)
        reply = ask(settings.deployment.state_dir, request)
    except (SettingsError, ControlError) as error:
        reply = Reply((str(error),), is_done=False)
    tell(reply, as_json=arguments.json)
    return 0 if reply.is_done else 1


def tell(reply: Reply, *, as_json: bool) -> None:
    """Print *reply*, to standard error where nothing was done."""
    if as_json:
        print_json({"ok": reply.is_done, "said": list(reply.said)})
    elif reply.is_done:
        for line in reply.said:
            print(clean(line))
    else:
        complain("\n".join(reply.said))


def _request(arguments: argparse.Namespace) -> Request | None:
    """Return what the command line asks; None: it contradicts itself."""
    if arguments.verb == "adopt" and arguments.all == (arguments.name is not None):
        return None
    if arguments.verb == "adopt" and arguments.all:
        return Request("adopt_all")
    about = ASKINGS[arguments.verb].about
    word = None if about is None else getattr(arguments, about)
    words = {} if word is None else {str(about): word}
    if arguments.verb in COUNTED:
        counted, _ = COUNTED[arguments.verb]
        words[counted] = getattr(arguments, counted)
    return Request(arguments.verb, words)
