"""What is known of one domain of one host: the values behind the views.

The only mutable thing here is which value is the newest; what a frame or an
answer means is decided in the core.
"""

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

import trio
from attrs import evolve

from albatross_client.heard import Heard
from albatross_client.names import Name
from albatross_client.values import Info, ResourcePolicy
from autoscaler.core.rhythm import Rhythm
from autoscaler.core.track import Moment, Track, Verdict, follow, relist
from autoscaler.core.view import (
    Claim,
    Feed,
    Listing,
    Rules,
    View,
    closed,
    opened,
    stall_limit,
)

if TYPE_CHECKING:
    from autoscaler.core.group import GroupId

# What is no longer listed and was not heard for so long is forgotten.
FORGET_S = 600.0
NEVER_HEARD = Track()


class Watch:
    """One domain of one host, as its stream and its answers tell it.

    Attributes:
        host: The host's name in the configuration.
        domain: What is subscribed to and asked about.
        feed: The stream.
        tracks: What frames tell of every unikernel.
        listing: The newest answer to `info`.
        rules: The newest answer to `policy info`.
        changed_at: When the stream last went up or down, monotonic.
        verdicts: How many frames met each verdict.
        recent: The same, since somebody last looked at it.
        members: Whose member a name is; kept by the fleet.
    """

    def __init__(self, host: str, domain: Name, rhythm: Rhythm) -> None:
        """Know nothing yet but the *rhythm* of an earlier run."""
        self.host = host
        self.domain = domain
        self.feed = Feed(rhythm)
        self.tracks: dict[Name, Track] = {}
        self.listing: Listing | None = None
        self.rules: Rules | None = None
        self.changed_at = trio.current_time()
        self.verdicts: Counter[Verdict] = Counter()
        self.recent: Counter[Verdict] = Counter()
        self.members: dict[Name, GroupId] = {}
        self._numcpus: dict[Name, int] = {}
        self._awaited: dict[Name, trio.Event] = {}
        self._last_frame: float | None = None
        self._has_pair = False
        self._occupied_since: float | None = None

    def configure(self, interval: float | None) -> None:
        """Take the operator's word for the stats interval, None: measure it."""
        if interval != self.feed.rhythm.configured:
            rhythm = evolve(self.feed.rhythm, configured=interval)
            self.feed = evolve(self.feed, rhythm=rhythm)

    def open(self, now: float) -> None:
        """Note that a subscription began."""
        self.feed = opened(self.feed, now)
        self.changed_at = now
        self._last_frame, self._has_pair = None, False

    def close(self, now: float) -> None:
        """Note that the subscription ended."""
        self.feed = closed(self.feed, now)
        self.changed_at = now

    def hear(self, heard: Heard) -> Verdict:
        """Take in one frame and return what became of it."""
        name, at, feed = heard.name, heard.at, self.feed
        track, rhythm, verdict = follow(
            self.tracks.get(name, NEVER_HEARD),
            feed.rhythm,
            heard.sample,
            Moment(at, feed.stream, feed.listened_by(at)),
            self._numcpus.get(name, 1),
        )
        self.tracks[name] = track
        if rhythm is not feed.rhythm:
            self.feed = Feed(rhythm, feed.stream, feed.up_since, feed.listened)
        self.verdicts[verdict] += 1
        self.recent[verdict] += 1
        self._last_frame = at
        self._has_pair = self._has_pair or bool(track.row)
        if self._awaited and name in self._awaited:
            self._awaited.pop(name).set()
        return verdict

    def stalls_at(self, now: float) -> float | None:
        """Return when the stream counts as stalled; None: nothing runs."""
        if self._occupied_since is None:
            return None
        longest = max(self.feed.rhythm.distances, default=None)
        limit = stall_limit(self.feed, longest if self._has_pair else None)
        up_since = now if self.feed.up_since is None else self.feed.up_since
        heard_at = up_since if self._last_frame is None else self._last_frame
        # A silence while nothing ran says nothing.
        return max(heard_at, self._occupied_since) + limit

    def first_frame(self, name: Name) -> trio.Event:
        """Return an event that is set with the next frame of *name*."""
        return self._awaited.setdefault(name, trio.Event())

    def take_infos(
        self, infos: Mapping[Name, Info], asked: float, now: float, wall: float
    ) -> None:
        """Take in an answer to `info`; an older one than the newest is dropped.

        Arguments:
            infos: What runs, by absolute name.
            asked: When the question was sent, monotonic.
            now: Monotonic.
            wall: Wall clock, seconds since 1970: a host's `started` is by it.
        """
        if self.listing is not None and asked < self.listing.asked:
            # Two questions were under way, and the host was slow to answer one.
            return
        self.listing = Listing(infos, asked, now)
        if not infos:
            self._occupied_since = None
        elif self._occupied_since is None:
            self._occupied_since = now
        self._numcpus = {n: i.numcpus for n, i in infos.items() if i.numcpus > 1}
        for name, info in infos.items():
            began = None
            if info.started is not None:
                age = max(0.0, wall - info.started.milliseconds / 1000)
                began = now - age
            track = self.tracks.get(name, NEVER_HEARD)
            self.tracks[name] = relist(track, info.started, began, now)
        for name, track in tuple(self.tracks.items()):
            heard_at = track.heard.at if track.heard is not None else None
            known_at = max(heard_at or 0.0, track.known_at or 0.0)
            if name not in infos and now - known_at > FORGET_S:
                del self.tracks[name]

    def take_policies(
        self, policies: Mapping[Name, ResourcePolicy], now: float
    ) -> None:
        """Take in an answer to `policy info`."""
        self.rules = Rules(policies, now)

    def view(self, claims: tuple[Claim, ...], reconcile_interval: float) -> View:
        """Return what groups may look at now."""
        return View(
            feed=self.feed,
            tracks=self.tracks,
            listing=self.listing,
            rules=self.rules,
            claims=claims,
            reconcile_interval=reconcile_interval,
        )
