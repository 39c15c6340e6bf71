"""The `[[notify]]` tables: who is told of which events, and how."""

import difflib
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from attrs import field, frozen
from attrs.validators import ge, le

from autoscaler.shell.configuration import forms
from autoscaler.shell.configuration.durations import ALLOWED
from autoscaler.shell.configuration.keys import WORD, Key, a_count, a_duration, a_path
from autoscaler.shell.configuration.problems import Place, Problem, titled
from autoscaler.shell.configuration.tables import Shape
from autoscaler.shell.events import EVENTS, LEVELS, Level

TABLE = "notify"
LEVEL = "level:"
# Of those who fail there is nobody to tell; ticks would be told all the time.
NEVER = frozenset(
    {
        "notification_delayed",
        "notification_failed",
        "notifications_dropped",
        "lines_dropped",
        "tick_decided",
    }
)
CHOICES = (
    *(f"{LEVEL}{level}" for level in LEVELS if level != "debug"),
    *sorted(set(EVENTS) - NEVER),
)
LONGEST_URL = 2000
# rfc1035, 2.3.4 - "labels: 63 octets or less"
LONGEST_LABEL = 63
MOST_AT_ONCE = 16


@frozen
class Url:
    """Where a webhook is.

    Attributes:
        text: All of it; what follows the host may be a secret.
    """

    text: str = field(repr=False)

    def __str__(self) -> str:
        return f"{self.origin}/..."

    @property
    def origin(self) -> str:
        """What may be shown: scheme, host and port."""
        parts = urlsplit(self.text)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def is_private(self) -> bool:
        """Whether nobody on the way can read along."""
        parts = urlsplit(self.text)
        if parts.scheme == "https" or parts.hostname == "localhost":
            return True
        try:
            return ip_address(parts.hostname or "").is_loopback
        except ValueError:
            return False


def _url(value: object) -> Url:
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_URL:
        raise ValueError
    if not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError
    parts = urlsplit(value)
    # The port is read when it is asked for.
    is_whole = parts.hostname and (parts.port is None or parts.port > 0)
    if parts.scheme not in {"http", "https"} or not is_whole or "@" in parts.netloc:
        raise ValueError
    labels = () if ":" in (parts.hostname or "") else (parts.hostname or "").split(".")
    if not all(0 < len(label) <= LONGEST_LABEL for label in labels):
        raise ValueError
    return Url(value)


def _events(value: object) -> tuple[str, ...]:
    # Unknown names are told one by one, with what was meant.
    if not isinstance(value, list) or not value:
        raise ValueError
    if not all(isinstance(each, str) for each in value):
        raise ValueError
    return tuple(value)


def notify_keys(base: Path) -> Mapping[str, Key]:
    """Return the keys of `[[notify]]`, paths relative to *base*."""
    return {
        "name": WORD,
        "events": Key(
            _events,
            f'a list of event names and of "{LEVEL}warning" or "{LEVEL}error", '
            'such as ["group_stood_down", "level:error"]',
            {"type": "array", "items": {"enum": list(CHOICES)}, "minItems": 1},
        ),
        "on_event": a_path(base),
        "webhook": Key(
            _url,
            'a URL such as "https://hooks.example.org/autoscaler", without a password',
            {"type": "string", "pattern": "^https?://[^@ ]+$"},
        ),
        "secret_file": a_path(base),
        "ca": a_path(base),
        "timeout": Key(
            a_duration().read, f"{ALLOWED}, from 100ms to 5m", forms.DURATION
        ),
        "max_at_once": Key(
            a_count(1).read,
            f"a whole number from 1 to {MOST_AT_ONCE}",
            forms.whole(1, MOST_AT_ONCE),
        ),
    }


@frozen(kw_only=True)
class NotifySettings:
    """One `[[notify]]` table.

    Attributes:
        name: What the log calls it.
        events: Names of events, and levels: those and what is worse.
        on_event: The executable that is told; None: a webhook is.
        webhook: Where it is posted to; None: an executable is told.
        secret_file: What holds the key that signs; None: nothing is signed.
        ca: What the webhook's certificate is issued by; None: by one that
            this machine knows.
        timeout: How long each try may take, seconds.
        max_at_once: How many are told at the same time.

    Raises:
        ValueError: Nobody or two are told, or a key has nothing to do there.
    """

    name: str
    events: tuple[str, ...]
    on_event: Path | None = None
    webhook: Url | None = None
    secret_file: Path | None = None
    ca: Path | None = None
    timeout: float = field(default=10.0, validator=[ge(0.1), le(300.0)])
    max_at_once: int = field(default=2, validator=[ge(1), le(MOST_AT_ONCE)])

    def __attrs_post_init__(self) -> None:
        """Refuse what nobody could be told by."""
        if (self.on_event is None) == (self.webhook is None):
            msg = "needs either on_event, an executable, or webhook, a URL"
            raise ValueError(msg)
        if self.webhook is None and (self.secret_file or self.ca) is not None:
            msg = "secret_file and ca are for a webhook, and there is none"
            raise ValueError(msg)

    def wants(self, level: Level, event: str) -> bool:
        """Tell whether *event* at *level* is to be told here."""
        if event in NEVER:
            return False
        worse = LEVELS[: LEVELS.index(level) + 1]
        return event in self.events or any(f"{LEVEL}{w}" in self.events for w in worse)


def read_notify(
    tables: object, file: Path
) -> tuple[tuple[NotifySettings, ...], tuple[Problem, ...]]:
    """Return the parsed `notify` tables, and all that is wrong with them."""
    if tables is None:
        return (), ()
    if not isinstance(tables, list):
        place = Place(file, TABLE)
        return (), (place.problem(f"must be written as [[{TABLE}]] tables"),)
    keys = notify_keys(file.parent)
    shape = Shape(NotifySettings, keys, frozenset(keys))
    found: list[NotifySettings] = []
    problems: list[Problem] = []
    for number, table in enumerate(tables, 1):
        name = table.get("name") if isinstance(table, Mapping) else None
        title = titled(TABLE, number, name if isinstance(name, str) else None)
        place = Place(file, title)
        if not isinstance(table, Mapping):
            problems.append(place.problem("must be a table"))
            continue
        settings, wrong = shape.read(table, place)
        problems += wrong
        problems += _unknown_events(table.get("events"), place)
        if settings is None:
            continue
        if any(settings.name == other.name for other in found):
            complaint = "another has this name already; names must differ"
            problems.append(place.problem(complaint, "name", settings.name))
        found.append(settings)
    return tuple(found), tuple(problems)


def _unknown_events(value: object, place: Place) -> Iterator[Problem]:
    for event in value if isinstance(value, list) else ():
        if isinstance(event, str) and event not in CHOICES:
            yield place.problem(_complaint(event), "events", event)


def _complaint(event: str) -> str:
    if event in NEVER:
        return "nobody can be told of this event"
    near = difflib.get_close_matches(event, CHOICES, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]}?" if near else "; docs/events.md lists all"
    return f"unknown event{hint}"


def doubts(notify: NotifySettings) -> Iterator[tuple[str, str]]:
    """Yield the keys of *notify* that are probably not meant so, and why."""
    if notify.webhook is not None and not notify.webhook.is_private:
        says = (
            f"whoever is on the way to {notify.webhook.origin} can read what is told: "
            "take https"
        )
        yield "webhook", says
