"""What operators ask of a daemon that runs: one JSON line each way.

Laws: no I/O; a request is bounded and is checked before anybody obeys it; what
can't be understood is refused with one sentence that names what is known.  A
new verb is a row of `VERBS` and a handler at the desk.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence

from attrs import field, frozen

from albatross_client.names import Name
from albatross_client.texts import clean
from autoscaler.core.group import GroupId
from autoscaler.core.record import Record
from autoscaler.shell.configuration.problems import unknown
from autoscaler.shell.operators.times import ALLOWED, parse_time

# The longest name of a unikernel has some hundred bytes.
MOST_REQUEST = 4096
# A thousand groups, told at length, are about 2 MB.
MOST_DIGITS = 6
MOST_REPLY = 8 * 1024 * 1024


class RequestError(ValueError):
    """A request that can't be obeyed; one sentence for the operator."""


class UnknownError(RequestError):
    """A request about what isn't there; one sentence for the operator."""


@frozen
class Verb:
    """What may be asked.

    Attributes:
        meaning: What then happens.
        needs: The words that have to be said.
        may: The words that may be left out.
        only_asks: Whether nothing changes: then it is no part of the history.
        is_signed: Whether who obeys is told who asks, as the word `user`.
    """

    meaning: str
    needs: frozenset[str] = frozenset()
    may: frozenset[str] = frozenset()
    only_asks: bool = False
    is_signed: bool = False


GROUP = frozenset({"group"})
NAME = frozenset({"name"})

VERBS: Mapping[str, Verb] = {
    "ping": Verb("tell that the daemon runs, and its version"),
    "reload": Verb("read the configuration again"),
    "pause": Verb("decide and do nothing", may=GROUP),
    "observe": Verb("decide, but do nothing", may=GROUP),
    "resume": Verb("do again what the configuration allows", may=GROUP),
    "scale": Verb(
        "have so many clones now; the load decides again after the cooldown",
        needs=GROUP | {"clones"},
        is_signed=True,
    ),
    "adopt": Verb("take a unikernel with a clone's name for ours", needs=NAME),
    "adopt_all": Verb("follow `adopt` again after the state was lost", may=GROUP),
    "disown": Verb("never touch a clone again", needs=NAME),
    "explain": Verb(
        "tell how the newest decision of a group came about, or an earlier one",
        needs=GROUP,
        may=frozenset({"at"}),
        only_asks=True,
    ),
    "status": Verb("tell what the daemon knows and does", only_asks=True),
    "history": Verb(
        "tell what happened, the newest last",
        may=frozenset({"group", "since", "limit"}),
        only_asks=True,
    ),
    "top": Verb("tell all in one look, what needs a person first", only_asks=True),
    "prewarm": Verb(
        "have members stand by for a while", needs=frozenset({"group", "count"})
    ),
    "stranded": Verb("list the clones of groups that are no longer configured"),
    "destroy_stranded": Verb("destroy one of these", needs=NAME | {"host"}),
}


@frozen
class Request:
    """What an operator asks.

    Attributes:
        verb: One of `VERBS`.
        words: What it is about, by `group`, `name` and the like.
    """

    verb: str
    words: Mapping[str, str] = field(factory=dict)


@frozen
class Reply:
    """What the daemon answers.

    Attributes:
        said: Sentences: what has happened, or why nothing has.
        is_done: Whether what was asked has been done.
        rows: What a list is asked for: its lines, by column.
    """

    said: tuple[str, ...]
    is_done: bool = True
    rows: tuple[Mapping[str, str], ...] = ()


def told(document: str) -> Reply:
    """Return the reply that tells *document*, which is JSON."""
    return Reply((), rows=({"json": document},))


def read_told(reply: Reply) -> object:
    """Return what *reply* tells, as JSON has it.

    Raises:
        ValueError: It tells nothing.
    """
    try:
        return json.loads(reply.rows[0]["json"])
    except (ValueError, LookupError, RecursionError) as error:
        msg = "what answers there is no daemon of this version"
        raise ValueError(msg) from error


def write_request(request: Request) -> bytes:
    """Return *request* as a line."""
    return _line({"verb": request.verb, **request.words})


def read_request(line: bytes) -> Request:
    """Return the request in *line*.

    Raises:
        RequestError: There is none, or it isn't one of `VERBS`.
    """
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError) as error:
        msg = 'a request must be one line of JSON such as {"verb": "ping"}'
        raise RequestError(msg) from error
    if not isinstance(fields, dict) or not isinstance(fields.get("verb"), str):
        msg = 'a request must have a verb, such as {"verb": "ping"}'
        raise RequestError(msg)
    verb = fields.pop("verb")
    if verb not in VERBS:
        msg = f"{clean(verb, 40)!r}: {unknown('verb', clean(verb, 40), VERBS)}"
        raise RequestError(msg)
    _check_words(verb, fields)
    return Request(verb, fields)


def write_reply(reply: Reply) -> bytes:
    """Return *reply* as a line."""
    rows = [dict(row) for row in reply.rows]
    return _line({"ok": reply.is_done, "said": list(reply.said), "rows": rows})


def read_reply(line: bytes) -> Reply:
    """Return the reply in *line*.

    Raises:
        ValueError: There is none.
    """
    try:
        fields = json.loads(line)
        said, rows = fields["said"], fields["rows"]
        return Reply(tuple(map(str, said)), bool(fields["ok"]), tuple(map(dict, rows)))
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        msg = "what answers there is no daemon of this version"
        raise ValueError(msg) from error


def find_groups(known: Iterable[GroupId], text: str | None) -> tuple[GroupId, ...]:
    """Return the group that *text* means, None: all that are *known*.

    Raises:
        RequestError: It means none, or more than one.
    """
    if text is None:
        return tuple(known)
    by_text = {str(group_id): group_id for group_id in known}
    found = [g for full, g in by_text.items() if text in {full, str(g.name)}]
    if not found:
        msg = f"{clean(text)!r}: {unknown('group', text, by_text)}"
        raise UnknownError(msg)
    return (_only(found, text, "HOST/PRIMARY"),)


def find_record(kept: Sequence[Record], at: str | None) -> Record | None:
    """Return the record that held *at* a time.

    Arguments:
        kept: Oldest first.
        at: Seconds since 1970; None: the newest is meant.

    Returns:
        None where that isn't among those that are kept.

    Raises:
        RequestError: *at* is no time.
    """
    try:
        when = math.inf if at is None else float(at)
    except ValueError as error:
        msg = f"at must be seconds since 1970, not {clean(str(at), 40)!r}"
        raise RequestError(msg) from error
    return next((record for record in reversed(kept) if record.at <= when), None)


def find_time(text: str, wall: float, what: str) -> float:
    """Return the instant that *text* means at *wall*, seconds since 1970.

    Raises:
        RequestError: It is none; *what* was asked for is named.
    """
    try:
        at = float(text)
    except ValueError:
        try:
            return parse_time(text, wall)
        except ValueError as error:
            msg = (
                f"{what} must be {ALLOWED}, or seconds since 1970, "
                f"not {clean(text, 40)!r}"
            )
            raise RequestError(msg) from error
    if not math.isfinite(at):
        msg = f"{what} must be a finite number of seconds since 1970"
        raise RequestError(msg)
    return at


def find_count(text: str, what: str) -> int:
    """Return the number that *text* means, of *what* is asked for.

    Raises:
        RequestError: It is none.
    """
    if not text.isascii() or not text.isdecimal() or len(text) > MOST_DIGITS:
        msg = f"{what} must be a whole number such as 3, not {clean(text, 40)!r}"
        raise RequestError(msg)
    return int(text)


def find_clone(known: Iterable[GroupId], text: str) -> tuple[GroupId, Name]:
    """Return the clone that *text* means, with or without its host.

    Raises:
        RequestError: It is named like no clone of any group, or of several.
    """
    host, slash, rest = text.rpartition("/")
    try:
        name = Name.parse(rest)
    except ValueError as error:
        msg = f"{clean(text)!r} is no name of a unikernel: {error}"
        raise RequestError(msg) from error
    found = [
        group_id
        for group_id in known
        if group_id.number_of(name) is not None and (not slash or group_id.host == host)
    ]
    if not found:
        msg = f"{clean(text)!r} is named like no clone of any group (PRIMARY-clone-N)"
        raise RequestError(msg)
    return _only(found, text, "HOST/NAME"), name


def _only(found: list[GroupId], text: str, form: str) -> GroupId:
    if len(found) > 1:
        hosts = ", ".join(sorted(group_id.host for group_id in found))
        msg = f"{clean(text)!r} may be of {hosts}: say which, as {form}"
        raise RequestError(msg)
    return found[0]


def _check_words(verb: str, words: Mapping[str, object]) -> None:
    row = VERBS[verb]
    allowed = row.needs | row.may
    for word, value in words.items():
        if word not in allowed:
            known = ", ".join(sorted(allowed)) or "none"
            msg = f"{verb} knows no {clean(word, 40)!r}; it knows: {known}"
            raise RequestError(msg)
        if not isinstance(value, str):
            msg = f"{word} must be a text"
            raise RequestError(msg)
    for word in sorted(row.needs - set(words)):
        msg = f"{verb} needs a {word}"
        raise RequestError(msg)


def _line(fields: Mapping[str, object]) -> bytes:
    return json.dumps(fields, separators=(",", ":")).encode("ascii") + b"\n"
