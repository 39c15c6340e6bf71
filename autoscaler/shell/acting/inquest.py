"""What is left to know of clones that are gone, for whoever asks why.

Laws: an action is over before its dead are looked at, and has given back its
turn: nothing waits for a console.  A console outlives its unikernel on the
host; it is read for `CONSOLE_S` at most, and what can't be read is left out.
"""

import json
from collections import deque
from collections.abc import Iterable

import trio
from attrs import asdict, define, field, frozen

from albatross_client.errors import AlbatrossError
from albatross_client.meaning.info_form import write_info
from albatross_client.names import Name
from albatross_client.replies import ConsoleLine
from albatross_client.texts import as_unicode, clean
from albatross_client.values import Info
from autoscaler.core.group import GroupId
from autoscaler.core.track import Track
from autoscaler.core.view import View
from autoscaler.shell.hosts.host import ConsoleSource, Host
from autoscaler.shell.state.mortems import ConsoleText, PostMortem

LINES = 50
CONSOLE_S = 2.0
# History comes at once; where nothing comes for so long, that was all.
QUIET_S = 0.3
GOODBYE_S = 0.5
# The end of the year 9998: no calendar goes further.
LATEST_S = 253_370_764_800.0


@define
class Witness:
    """Remembers what was last known of clones that may go.

    Attributes:
        names: Which clones.
        infos: What the host said of them.
        tracks: What their frames told.
    """

    names: tuple[Name, ...] = ()
    infos: dict[Name, Info] = field(factory=dict, init=False)
    tracks: dict[Name, Track] = field(factory=dict, init=False)

    def see(self, view: View) -> None:
        """Remember what *view* tells of them."""
        for name in self.names:
            info, track = view.info(name), view.tracks.get(name)
            if info is not None:
                self.infos[name] = info
            if track is not None and track.sample is not None:
                self.tracks[name] = track


@frozen(kw_only=True)
class Death:
    """A clone that is gone.

    Attributes:
        group: Whose.
        name: The clone.
        at: When that was seen, seconds since 1970.
        why: Why it had to go, or what happened to it.
        failure: What failed; None: nothing did.
        decision_id: What was decided that it went; None: nothing was.
    """

    group: GroupId
    name: Name
    at: float
    why: str
    failure: str | None = None
    decision_id: str | None = None


async def examine(death: Death, witness: Witness, host: Host) -> PostMortem:
    """Return all that is known of the clone of *death*."""
    info = witness.infos.get(death.name)
    track = witness.tracks.get(death.name, Track())
    return PostMortem(
        group=death.group,
        name=death.name,
        at=death.at,
        why=death.why,
        failure=death.failure,
        decision_id=death.decision_id,
        usage=track.usage,
        stats=_counters(track),
        info=None if info is None else json.dumps(as_unicode(write_info(info))),
        console=tuple(map(_text, await _last_lines(host, death.name))),
    )


async def _last_lines(host: Host, name: Name) -> Iterable[ConsoleLine]:
    """Return the last lines that *name* wrote, as far as they can be had."""
    lines: deque[ConsoleLine] = deque(maxlen=LINES)
    with trio.move_on_after(CONSOLE_S):
        try:
            source = await host.console(name, LINES)
        except AlbatrossError:
            return ()
        try:
            await _read_history(source, lines)
        finally:
            with trio.move_on_after(GOODBYE_S, shield=True):
                await source.aclose()
    return lines


async def _read_history(source: ConsoleSource, lines: deque[ConsoleLine]) -> None:
    while len(lines) < LINES:
        with trio.move_on_after(QUIET_S) as quiet:
            try:
                lines.append(await source.receive())
            except AlbatrossError:
                return
        if quiet.cancelled_caught:
            return


def _text(line: ConsoleLine) -> ConsoleText:
    at = min(max(0.0, line.timestamp.milliseconds / 1000), LATEST_S)
    text = line.text.decode("utf-8", "backslashreplace").rstrip("\r\n")
    return ConsoleText(at, clean(text))


def _counters(track: Track) -> dict[str, int | None] | None:
    if track.sample is None:
        return None
    return {k: v for k, v in asdict(track.sample).items() if k != "name"}
