"""`autoscaler notify`: tell them of a test event, and show what came back."""

import argparse
import time

import trio
from attrs import frozen

from albatross_client.cli.help import Formatter, examples
from albatross_client.secrecy import keep_memory_private
from albatross_client.texts import clean
from autoscaler.cli.options import add_config
from autoscaler.cli.output import complain, print_json, print_table
from autoscaler.shell.clock import wall_clock
from autoscaler.shell.configuration.notify_table import TABLE
from autoscaler.shell.configuration.settings import (
    Settings,
    SettingsError,
    load_settings,
)
from autoscaler.shell.log import Log
from autoscaler.shell.notifying.message import Notification
from autoscaler.shell.notifying.notices import Receiver, new_id
from autoscaler.shell.notifying.opening import open_all
from autoscaler.shell.notifying.outbox import Outbox

_EVENT = "notification_tested"


def add_command(
    subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> None:
    """Add ``notify``."""
    parser = subparsers.add_parser(
        "notify",
        help="tell those who want events of a test event",
        description=f"Tell the receivers of [[{TABLE}]] of the event {_EVENT}, once "
        "each and whatever they want otherwise, and show what came of it.",
        epilog=examples(
            ("autoscaler notify --config FILE", ""),
            ("autoscaler notify pager --config FILE --json", "one of them alone"),
        ),
        formatter_class=Formatter,
    )
    parser.add_argument(
        "name", nargs="?", metavar="NAME", help="only this one; default: all"
    )
    add_config(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


@frozen
class Tried:
    """What came of one try.

    Attributes:
        name: Of the receiver.
        how: Whether by a webhook or an executable.
        error: Why it was not told; None: it was.
        took_s: How long it took.
    """

    name: str
    how: str
    error: str | None
    took_s: float


def run(arguments: argparse.Namespace) -> int:
    """Tell them; return the exit code."""
    try:
        settings = load_settings(arguments.config)
        keep_memory_private()
        receivers = open_all(settings, wall_clock)
    except SettingsError as error:
        complain(str(error))
        return 1
    chosen = [r for r in receivers if arguments.name in {None, r.settings.name}]
    if not chosen:
        complain(_nobody(settings, arguments.name))
        return 1
    tried = trio.run(_try_all, settings, chosen)
    if arguments.json:
        print_json([_form(each) for each in tried])
    else:
        print_table("Told", ("receiver", "by", "result", "took"), map(_row, tried))
    return int(any(each.error is not None for each in tried))


def _nobody(settings: Settings, name: str | None) -> str:
    if name is None or not settings.notify:
        return f"{settings.path}: there are no [[{TABLE}]] tables: nobody is told"
    known = ", ".join(each.name for each in settings.notify)
    return f"{clean(name, 60)!r}: nobody is called so; known are: {known}"


async def _try_all(settings: Settings, receivers: list[Receiver]) -> list[Tried]:
    name = settings.deployment.name
    notification = Notification(
        id=new_id(),
        deployment=name,
        wall=wall_clock(),
        level="info",
        event=_EVENT,
        fields={"deployment": name},
    )
    return [await _try(each, notification) for each in receivers]


async def _try(receiver: Receiver, notification: Notification) -> Tried:
    settings = receiver.settings
    sender = receiver.open()
    outbox = Outbox(settings, sender, Log(lambda *_: None))
    began = time.monotonic()
    failure = await outbox.try_once(notification)
    took = time.monotonic() - began
    await sender.aclose()
    how = "executable" if settings.webhook is None else settings.webhook.origin
    return Tried(settings.name, how, None if failure is None else failure.error, took)


def _row(tried: Tried) -> tuple[str, ...]:
    return tried.name, tried.how, tried.error or "told", f"{tried.took_s:.2f} s"


def _form(tried: Tried) -> dict[str, object]:
    return {
        "receiver": tried.name,
        "by": tried.how,
        "told": tried.error is None,
        "error": tried.error,
        "took_s": round(tried.took_s, 3),
    }
