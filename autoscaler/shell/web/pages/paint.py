"""HTML from values, by templates that escape whatever is put into them.

Laws: nothing is marked as safe but what a template has made; neither style nor
script stands in a page, for its policy forbids both.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from attrs import define, field, frozen
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from autoscaler.core.group import GroupId
from autoscaler.shell.web.pages.card import Card, GuardRow
from autoscaler.shell.web.pages.fleet_line import FleetLine
from autoscaler.shell.web.pages.past import Told
from autoscaler.shell.web.pages.static_files import ADDRESSES

PACKAGE = "autoscaler.shell.web.pages"


@frozen(kw_only=True)
class Frame:
    """What stands around every page.

    Attributes:
        deployment: What the operator calls it.
        version: Of the daemon.
        instant: What the page has to say to be told what is new.
        at: When it is made, seconds since 1970.
        title: What the page is about, in some words.
        sought: What names have to contain, as the client asked; empty: any.
    """

    deployment: str
    version: str
    instant: str
    at: float
    title: str
    sought: str = ""


@define(eq=False)
class Painter:
    """Makes HTML."""

    _environment: Environment = field(init=False)

    @_environment.default
    def _new(self) -> Environment:
        found = Environment(
            loader=PackageLoader(PACKAGE),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        found.filters.update(
            clock=_clock, iso=_iso, percent=_percent, when=_when, zone=_zone
        )
        found.globals["static"] = ADDRESSES
        # Now: later there may be those of another version.
        for name in found.list_templates():
            found.get_template(name)
        return found

    def card(self, card: Card) -> str:
        """Return *card* as it hangs among others."""
        return self._paint("card.html", card=card)

    def broken(self, group_id: GroupId, anchor: str) -> str:
        """Return what hangs where there should be the card of the group."""
        return self._paint("broken.html", id=group_id, anchor=anchor)

    def fleet(self, line: FleetLine) -> str:
        """Return what is told of all groups together."""
        return self._paint("fleet.html", fleet=line)

    def overview(
        self, frame: Frame, fleet: str, cards: Iterable[str], counts: tuple[int, int]
    ) -> Iterator[str]:
        """Yield the page of all groups.

        Arguments:
            frame: What stands around it.
            fleet: What `fleet` has made of all groups together.
            cards: Those that are shown, as HTML, some at a time.
            counts: How many those are, and of how many.
        """
        known = {"frame": frame, "shown": counts[0], "of": counts[1]}
        made = Markup(fleet)  # noqa: S704 - made by a template
        yield self._paint("overview.html", fleet=made, **known)
        yield from cards
        yield self._paint("overview_end.html", **known)

    def group_now(self, card: Card, guards: tuple[GuardRow, ...], version: str) -> str:
        """Return how a group is, as its own page has it.

        Arguments:
            card: The group.
            guards: All of its guards.
            version: Changes when something has happened to it.
        """
        known = {"card": card, "guards": guards, "version": version}
        return self._paint("group_now.html", **known)

    def group(self, frame: Frame, anchor: str, now: str, told: Told) -> str:
        """Return a group's own page.

        Arguments:
            frame: What stands around it.
            anchor: What addresses call the group.
            now: What `group_now` has made of it.
            told: What has happened, and how it is configured.
        """
        made = Markup(now)  # noqa: S704 - made by a template
        return self._paint(
            "group.html", frame=frame, anchor=anchor, now=made, told=told
        )

    def _paint(self, template: str, **known: object) -> str:
        return self._environment.get_template(template).render(**known)


def as_bytes(text: str) -> bytes:
    """Return *text* as it is sent; what is no Unicode as escapes."""
    return text.encode("utf-8", "backslashreplace")


def _local(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC).astimezone()


def _clock(at: float) -> str:
    return f"{_local(at):%H:%M:%S}"


def _when(at: float) -> str:
    return f"{_local(at):%m-%d %H:%M:%S}"


def _iso(at: float) -> str:
    return _local(at).isoformat(timespec="seconds")


def _zone(at: float) -> str:
    return f"UTC{_local(at):%z}"


def _percent(usage: float) -> str:
    return f"{usage:.0f} %"
