"""What every demo needs: its configuration, its events, and who looks on."""

import signal
from collections.abc import Awaitable, Callable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Protocol

import trio
from rich.console import Console, ConsoleDimensions, RenderableType
from rich.live import Live

from autoscaler.cli.demos.blocks import Latest
from autoscaler.cli.demos.story import Story
from autoscaler.shell.configuration.settings import Settings, load_settings
from autoscaler.shell.events import Level
from autoscaler.shell.log import Field, Log

LONGEST_S = 88.0
REFRESH_S = 0.25
CONFIG = Path(__file__).parents[3] / "config"
# Ctrl-C is trio's to hear.
STOPS = (signal.SIGTERM, signal.SIGHUP)


class Play(Protocol):
    """What goes on, for who looks on."""

    @property
    def is_over(self) -> bool:
        """Whether there is nothing more to see."""

    def look(self) -> None:
        """Take note of what is to be seen now."""

    def screen(self, size: ConsoleDimensions) -> RenderableType:
        """Return what a terminal of *size* shows of it."""


Begin = Callable[[trio.Nursery], Awaitable[Play]]


async def put_on(begin: Begin, console: Console | None) -> None:
    """Look on at what *begin* begins until it is over, or for too long.

    What was begun in the nursery that *begin* is given has ended on return,
    also when a signal comes.

    Arguments:
        begin: Begins it.
        console: Shows it; None: it tells of itself.
    """
    with trio.move_on_after(LONGEST_S):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_end_at_signal, nursery.cancel_scope)
            play = await begin(nursery)
            await _look_on(play, console)
            nursery.cancel_scope.cancel()


async def _look_on(play: Play, console: Console | None) -> None:
    shown = nullcontext() if console is None else _live(console)
    with shown as live:
        while not play.is_over:
            play.look()
            if console is not None and live is not None:
                live.update(play.screen(console.size), refresh=True)
            await trio.sleep(REFRESH_S)


def _live(console: Console) -> Live:
    return Live(console=console, auto_refresh=False, transient=False)


async def _end_at_signal(scope: trio.CancelScope) -> None:
    with trio.open_signal_receiver(*STOPS) as received:
        async for _ in received:
            scope.cancel()


def prepare(directory: Path, name: str, found: Mapping[str, str]) -> Settings:
    """Return the configuration of this *name*, as it fits to this machine.

    Arguments:
        directory: Where it is copied to, beside the keys.
        name: Of a file in `CONFIG`.
        found: What stands there for what is different each time, and what
            that is.
    """
    text = (CONFIG / name).read_text()
    for told, here in found.items():
        text = text.replace(told, here)
    file = directory / name
    file.write_text(text)
    return load_settings(file)


def story_log(story: Story, latest: Latest, plain: Log | None) -> Log:
    """Return a log that tells *story*, *latest* and, if given, *plain*."""

    def take(level: Level, name: str, fields: Mapping[str, Field]) -> None:
        if name == "action_finished":
            story.actions.append(fields)
        if level != "debug":
            latest.note(name, fields)
        if plain is not None:
            plain.sink(level, name, fields)

    return Log(take)
