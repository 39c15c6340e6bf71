"""Where operators' requests are obeyed, while the daemon runs.

Laws: every request leaves a line in the log and a row in the history, with who
asked; what can't be obeyed is answered with why.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from importlib.metadata import version

import trio
from attrs import frozen

from albatross_client.errors import AlbatrossError
from autoscaler.core.events import (
    AdoptAsked,
    DisownAsked,
    ModeSet,
    OwnershipConfirmed,
    PrewarmAsked,
    Resumed,
)
from autoscaler.core.group import GroupId
from autoscaler.core.policy import Mode
from autoscaler.core.prewarming import describe_warmth, find_warmth
from autoscaler.core.snapshot import Snapshot
from autoscaler.shell.configuration.problems import SettingsError
from autoscaler.shell.daemon import Daemon
from autoscaler.shell.log import Log
from autoscaler.shell.operators.clerk import Clerk, Wish
from autoscaler.shell.operators.control import Peer
from autoscaler.shell.operators.notify import Notifier
from autoscaler.shell.operators.requests import (
    VERBS,
    Reply,
    Request,
    RequestError,
    find_clone,
    find_count,
    find_groups,
    find_record,
    told,
)
from autoscaler.shell.operators.sizing import scale_group
from autoscaler.shell.reload import Reloader
from autoscaler.shell.state.records import to_json
from autoscaler.shell.state.rows import RequestRow
from autoscaler.shell.state.schema import StoreError
from autoscaler.shell.state.scribe import Scribe
from autoscaler.shell.state.store import Store
from autoscaler.shell.stranded import Stray, destroy, strays
from autoscaler.shell.writer import write_changes

Words = Mapping[str, str]
Handler = Callable[[Words], Awaitable[Reply]]

_DONE = {Mode.PAUSED: "is paused", Mode.OBSERVE: "is only observed"}

# Numbers of other lines have these names, and what was asked may be none.
_FIELDS = {"clones": "asked_for", "count": "asked_for"}


@frozen
class Ledgers:
    """Where the desk writes down what happens.

    Attributes:
        store: On disk.
        log: For people.
        notifier: For systemd.
    """

    store: Store
    log: Log
    notifier: Notifier


class Desk:
    """Obeys for one daemon.

    Attributes:
        handlers: Who obeys which verb; one for each of `requests.VERBS`.
        clerk: Answers those who only ask.
    """

    def __init__(self, daemon: Daemon, reloader: Reloader, ledgers: Ledgers) -> None:
        """Obey for *daemon*, whose configuration *reloader* reads."""
        self.handlers: Mapping[str, Handler] = {
            "ping": self._ping,
            "reload": self._reload,
            "pause": self._pause,
            "observe": self._observe,
            "resume": self._resume,
            "scale": self._scale,
            "adopt": self._adopt,
            "adopt_all": self._adopt_all,
            "disown": self._disown,
            "explain": self._explain,
            "status": self._status,
            "history": self._history,
            "top": self._top,
            "prewarm": self._prewarm,
            "stranded": self._list_stranded,
            "destroy_stranded": self._destroy_stranded,
        }
        self.clerk = Clerk(daemon, lambda: reloader.settings)
        self._daemon = daemon
        self._fleet = daemon.fleet
        self._reloader = reloader
        self._store = ledgers.store
        self._log = ledgers.log
        self._notifier = ledgers.notifier
        self._scribe = Scribe(ledgers.log)
        # Two that destroy the same clone would each write the other's away.
        self._destroying = trio.Lock()

    async def obey(self, request: Request, peer: Peer) -> Reply:
        """Do what *peer* asks for, and return what came of it."""
        verb, words = VERBS[request.verb], request.words
        if verb.is_signed:
            words = {**words, "user": peer.user}
        try:
            reply = await self.handlers[request.verb](words)
        except RequestError as error:
            reply = _refused(str(error))
        if not verb.only_asks:
            await self._write_down(request, peer, reply)
        return reply

    async def _write_down(self, request: Request, peer: Peer, reply: Reply) -> None:
        self._log.event(
            "operator_asked",
            verb=request.verb,
            **{_FIELDS.get(word, word): text for word, text in request.words.items()},
            user=peer.user,
            uid=peer.uid,
            done=reply.is_done,
        )
        row = RequestRow(
            wall=self._fleet.clocks().wall,
            uid=peer.uid,
            user=peer.user,
            verb=request.verb,
            words=request.words,
            is_done=reply.is_done,
            said=reply.said,
        )
        await self._scribe.write(self._store.record_request(row))
        self.clerk.forget()

    async def reload(self) -> Reply:
        """Read the configuration again, as a signal asks for."""
        self._notifier.reloading()
        try:
            differs = await self._reloader.reload()
        except SettingsError as error:
            return Reply(tuple(map(str, error.problems)), is_done=False)
        finally:
            self._notifier.ready()
        return Reply(tuple(map(str, differs)) or ("nothing has changed",))

    async def _ping(self, _words: Words) -> Reply:
        return Reply((f"autoscaler {version('albatross-autoscaler')} runs",))

    async def _reload(self, _words: Words) -> Reply:
        return await self.reload()

    async def _pause(self, words: Words) -> Reply:
        return await self._say(words, Mode.PAUSED)

    async def _observe(self, words: Words) -> Reply:
        return await self._say(words, Mode.OBSERVE)

    async def _say(self, words: Words, mode: Mode) -> Reply:
        group_ids = self._groups(words)
        if "group" not in words:
            await self._remember_word(mode)
        for group_id in group_ids:
            self._fleet.tell(group_id, ModeSet(mode))
        return _each(group_ids, _DONE[mode])

    async def _resume(self, words: Words) -> Reply:
        group_ids = self._groups(words)
        mode = None
        if "group" not in words:
            await self._remember_word(None)
        elif self._fleet.word is not None:
            # Its own word, or the one for all would hold again.
            mode = Mode.ACTIVE
        for group_id in group_ids:
            self._fleet.tell(group_id, ModeSet(mode))
            self._fleet.tell(group_id, Resumed())
        modes = {g: self._fleet.groups[g].mode for g in group_ids}
        return Reply(
            tuple(
                f"{g} does what the file and --mode allow: {modes[g].value}"
                for g in group_ids
            )
        )

    async def _remember_word(self, mode: Mode | None) -> None:
        self._fleet.word = mode
        await self._scribe.write(self._store.remember_word(mode))

    async def _scale(self, words: Words) -> Reply:
        [group_id] = self._groups(words)
        clones = find_count(words["clones"], "clones")
        return scale_group(self._fleet, group_id, clones, words["user"])

    async def _adopt(self, words: Words) -> Reply:
        group_id, name = find_clone(self._fleet.groups, words["name"])
        if any(clone.name == name for clone in self._fleet.groups[group_id].clones):
            return Reply((f"{name} is ours already, a clone of {group_id}",))
        self._fleet.tell(group_id, AdoptAsked(name))
        self._look_again([group_id])
        if not self._fleet.view(group_id).lists(name):
            return Reply((f"{name} is not listed: it is ours as soon as it is",))
        return Reply((f"{name} is ours from now on, a clone of {group_id}",))

    async def _adopt_all(self, words: Words) -> Reply:
        group_ids = self._groups(words)
        for group_id in group_ids:
            self._fleet.tell(group_id, OwnershipConfirmed())
        self._look_again(group_ids)
        return _each(group_ids, "adopts again as its `adopt` says")

    async def _disown(self, words: Words) -> Reply:
        group_id, name = find_clone(self._fleet.groups, words["name"])
        self._fleet.tell(group_id, DisownAsked(name))
        return Reply((f"{name} is left alone until it is adopted again",))

    async def _explain(self, words: Words) -> Reply:
        [group_id] = self._groups(words)
        found = find_record(self._fleet.records.get(group_id, ()), words.get("at"))
        rows = () if found is None else ({"record": to_json(found)},)
        return Reply((str(group_id),), rows=rows)

    async def _status(self, _words: Words) -> Reply:
        try:
            return told((await self.clerk.reading.read()).whole)
        except StoreError as error:
            return _refused(str(error))

    async def _history(self, words: Words) -> Reply:
        wish = Wish(**words)
        try:
            return told(await self.clerk.history(wish))
        except StoreError as error:
            return _refused(str(error))

    async def _top(self, _words: Words) -> Reply:
        return told(await self.clerk.top())

    async def _prewarm(self, words: Words) -> Reply:
        count = find_count(words["count"], "count")
        [group_id] = self._groups(words)
        if self._fleet.groups[group_id].policy.serving is None:
            return _refused(f"{group_id} has no balancer, which standbys need")
        view = self._fleet.view(group_id)
        self._fleet.tell(group_id, PrewarmAsked(view, count))
        group, now = self._fleet.groups[group_id], trio.current_time()
        warmth = find_warmth(group, self._fleet.view(group_id), count, now)
        said = f"{group_id}: {describe_warmth(warmth)}"
        return Reply((said,), is_done=warmth.possible > 0 or not count)

    async def _list_stranded(self, _words: Words) -> Reply:
        found = strays(await self._snapshots(), self._fleet.groups)
        rows = ({"host": each.group.host, "name": str(each.name)} for each in found)
        return Reply((f"stranded: {len(found)}",), rows=tuple(rows))

    async def _destroy_stranded(self, words: Words) -> Reply:
        async with self._destroying:
            kept = {snapshot.id: snapshot for snapshot in await self._snapshots()}
            stray = _find_stray(strays(kept.values(), self._fleet.groups), words)
            host = self._daemon.hosts.get(stray.group.host)
            if host is None:
                return _refused(
                    f"{stray}: {stray.group.host} is no longer configured, so its "
                    "keys are not known: put it back first"
                )
            try:
                said = await destroy(stray, kept[stray.group], host, self._store)
            except trio.TooSlowError:
                return _refused(f"{stray}: no answer in time")
            except (AlbatrossError, StoreError) as error:
                return _refused(f"{stray}: {error}")
        return Reply((f"{stray} {said}",))

    async def _snapshots(self) -> Sequence[Snapshot]:
        """Return all that is kept of groups, that of a moment ago included."""
        try:
            await write_changes(self._fleet, self._store)
            return (await self._store.load()).snapshots
        except StoreError as error:
            raise RequestError(str(error)) from error

    def _groups(self, words: Words) -> tuple[GroupId, ...]:
        return find_groups(self._fleet.groups, words.get("group"))

    def _look_again(self, group_ids: Sequence[GroupId]) -> None:
        """Have their hosts asked soon, rather than at the usual time."""
        self._fleet.newcomers.update(group_ids)


def _refused(why: str) -> Reply:
    return Reply((why,), is_done=False)


def _each(group_ids: Sequence[GroupId], what: str) -> Reply:
    said = tuple(f"{group_id} {what}" for group_id in group_ids)
    return Reply(said or ("there is no group",))


def _find_stray(found: Sequence[Stray], words: Words) -> Stray:
    for stray in found:
        if (stray.group.host, str(stray.name)) == (words["host"], words["name"]):
            return stray
    msg = f"{words['host']}/{words['name']} is not stranded: it is left alone"
    raise RequestError(msg)
