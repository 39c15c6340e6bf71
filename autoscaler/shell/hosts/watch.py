"""What is known of one domain of one host: the values behind the views.

The only mutable thing here is which value is the newest; what a frame or an
answer means is decided in the core.
"""

import math
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

import trio
from attrs import evolve

from albatross_client.heard import Heard
from albatross_client.names import Name
from albatross_client.values import Info, ResourcePolicy
from autoscaler.core.outage import find_lost
from autoscaler.core.rhythm import Rhythm
from autoscaler.core.track import Moment, Track, Verdict, follow, relist
from autoscaler.core.view import (
    Around,
    Claim,
    Feed,
    Listing,
    Rules,
    View,
    closed,
    opened,
)
from autoscaler.shell.hosts.host import Subscribe

if TYPE_CHECKING:
    from autoscaler.core.group import GroupId

# What is no longer listed and was not heard for so long is forgotten.
FORGET_S = 600.0
NEVER_HEARD = Track()
NOT_UP = Feed()
NOTHING_AROUND = Around()


class Watch:
    """One domain of one host, as its stream and its answers tell it.

    Attributes:
        host: The host's name in the configuration.
        domain: What is asked about.
        subscribe: At which paths it is listened to.
        feed: The stream; where each unikernel has its own, up while one is.
        feeds: Those of unikernels that have their own.
        tracks: What frames tell of every unikernel.
        listing: The newest answer to `info`.
        rules: The newest answer to `policy info`.
        changed_at: When the stream last went up or down, monotonic.
        verdicts: How many frames met each verdict.
        recent: The same, since somebody last looked at it; pairs that were
            taken back are untimely.
        kept_interval: The stats interval in the state, seconds; None: there is
            none; kept by the writer.
        openings: How many subscriptions there were.
        members: Whose member a name is; kept by the fleet.
        coming: Members to be, which have to be heard from their first frame
            on; kept by the fleet.
        members_changed: Set when either has changed.
    """

    def __init__(
        self,
        host: str,
        domain: Name,
        rhythm: Rhythm,
        subscribe: Subscribe = Subscribe.DOMAIN,
    ) -> None:
        """Know nothing yet but the *rhythm* of an earlier run."""
        self.host = host
        self.domain = domain
        self.subscribe = subscribe
        self.feed = Feed(rhythm)
        self.feeds: dict[Name, Feed] = {}
        self.tracks: dict[Name, Track] = {}
        self.listing: Listing | None = None
        self.rules: Rules | None = None
        self.changed_at = trio.current_time()
        self.verdicts: Counter[Verdict] = Counter()
        self.recent: Counter[Verdict] = Counter()
        self.kept_interval = rhythm.remembered
        self.openings = 0
        self.members: dict[Name, GroupId] = {}
        # Those that are or were members, until they are forgotten; and which of
        # them were lost lately, None until somebody wants to know.
        self._peers: set[Name] = set()
        self._lost: tuple[tuple[Name, float], ...] | None = None
        self.coming: set[Name] = set()
        self.members_changed = trio.Event()
        self._numcpus: dict[Name, int] = {}
        self._awaited: dict[Name, trio.Event] = {}
        self._occupied_since: float | None = None
        self._contested_until = -math.inf
        self._forgot_at = -math.inf

    def configure(self, interval: float | None) -> None:
        """Take the operator's word for the stats interval, None: measure it."""
        if interval != self.feed.rhythm.configured:
            rhythm = evolve(self.feed.rhythm, configured=interval)
            self.feed = evolve(self.feed, rhythm=rhythm)

    def open(self, now: float, member: Name | None = None) -> None:
        """Note that a subscription began: of all, or of *member* alone."""
        self.openings += 1
        if member is None or self.feed.up_since is None:
            self.feed = opened(self.feed, now)
            self.changed_at = now
        if member is not None:
            # Of one count, so that no subscription is taken for an earlier one.
            feed = evolve(self._own_feed(member, now), stream=self.openings)
            self.feeds[member] = evolve(feed, up_since=now)

    def close(self, now: float, member: Name | None = None) -> None:
        """Note that the subscription of all, or of *member*, has ended."""
        if member is not None:
            self.feeds[member] = closed(self._own_feed(member, now), now)
            if any(feed.up_since is not None for feed in self.feeds.values()):
                return
        self.feed = closed(self.feed, now)
        self.changed_at = now

    def is_open(self, member: Name | None) -> bool:
        """Tell whether the subscription of all, or of *member*, is up."""
        return self._feed_of(member).up_since is not None

    def expect(self, member: Name, now: float) -> None:
        """Note that *member* gets a subscription of its own."""
        self.feeds[member] = self._own_feed(member, now)

    def expect_no_more(self, member: Name) -> None:
        """Forget the subscription of *member*, which has ended."""
        self.feeds.pop(member, None)

    def sleep_through(self, now: float) -> None:
        """Forget what was known before this machine was suspended."""
        self._forgot_at = now
        self.listing = self.rules = None
        self._occupied_since = None
        self.feed = closed(self.feed, now)
        for member, feed in self.feeds.items():
            self.feeds[member] = closed(feed, now)
        self.changed_at = now

    def contest(self, until: float | None) -> None:
        """Note that somebody else takes a path, till *until* if it ends now."""
        if until is not None:
            self._contested_until = until

    def hear(self, heard: Heard) -> Verdict:
        """Take in one frame and return what became of it."""
        name, at = heard.name, heard.at
        feed = self.feeds.get(name, self.feed)
        before = self.tracks.get(name, NEVER_HEARD)
        track, rhythm, verdict = follow(
            before,
            self.feed.rhythm,
            heard.sample,
            Moment(at, feed.stream, feed.listened_by(at)),
            self._numcpus.get(name, 1),
        )
        self.tracks[name] = track
        if rhythm is not self.feed.rhythm:
            whole = self.feed
            self.feed = Feed(rhythm, whole.stream, whole.up_since, whole.listened)
        self.verdicts[verdict] += 1
        self.recent[verdict] += 1
        if verdict is Verdict.RESTARTED:
            self._lost = None
        elif verdict is Verdict.BUNCHED and before.before_pair is not None:
            # The head of the bunch had counted, and was late after all.
            self.recent[Verdict.COUNTED] -= 1
            self.recent[Verdict.UNTIMELY] += 1
        if self._awaited and name in self._awaited:
            self._awaited.pop(name).set()
        return verdict

    @property
    def longest(self) -> float:
        """The longest recent distance between two frames of a unikernel."""
        return max(self.feed.rhythm.distances, default=0.0)

    def occupied_since(self, member: Name | None) -> float | None:
        """Return since when something, or *member*, runs here; None: not."""
        if member is not None and (
            self.listing is None or member not in self.listing.infos
        ):
            return None
        return self._occupied_since

    def first_frame(self, name: Name) -> trio.Event:
        """Return an event that is set with the next frame of *name*."""
        return self._awaited.setdefault(name, trio.Event())

    def take_infos(
        self, infos: Mapping[Name, Info], asked: float, now: float, wall: float
    ) -> bool:
        """Take in an answer to `info`, unless it is too old; tell whether.

        Too old is one to an earlier question than the newest answer's, and one
        that was asked before this machine slept.

        Arguments:
            infos: What runs, by absolute name; other domains' are left out.
            asked: When the question was sent, monotonic.
            now: Monotonic.
            wall: Wall clock, seconds since 1970: a host's `started` is by it.
        """
        if asked < self._forgot_at:
            return False
        if self.listing is not None and asked < self.listing.asked:
            # Two questions were under way, and the host was slow to answer one.
            return True
        ours = {n: info for n, info in infos.items() if n.is_within(self.domain)}
        self.listing = Listing(ours, asked, now)
        self._lost = None
        self._take_listing(ours, now, wall)
        return True

    def forget(self, name: Name) -> None:
        """Forget a unikernel that is no longer there, and was meant to go."""
        self.tracks.pop(name, None)
        self._peers.discard(name)
        self._lost = None

    def take_policies(
        self, policies: Mapping[Name, ResourcePolicy], now: float
    ) -> None:
        """Take in an answer to `policy info`."""
        self.rules = Rules(policies, now)

    def view(
        self,
        claims: tuple[Claim, ...],
        reconcile_interval: float,
        around: Around = NOTHING_AROUND,
    ) -> View:
        """Return what groups may look at now.

        Arguments:
            claims: What other groups of this host are about to create.
            reconcile_interval: How often the host is asked, seconds.
            around: What is known of other domains of this host.
        """
        view = View(
            feed=self.feed,
            tracks=self.tracks,
            listing=self.listing,
            rules=self.rules,
            around=around,
            claims=claims,
            reconcile_interval=reconcile_interval,
            is_contested=trio.current_time() < self._contested_until,
            feeds=self.feeds,
            lost=self._lost or (),
            peers=len(self._peers),
        )
        if self._lost is not None:
            return view
        self._peers |= self.members.keys()
        self._lost = find_lost(view, self._peers, trio.current_time())
        return evolve(view, lost=self._lost, peers=len(self._peers))

    def _take_listing(
        self, infos: Mapping[Name, Info], now: float, wall: float
    ) -> None:
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
                self.forget(name)

    def _feed_of(self, member: Name | None) -> Feed:
        return self.feed if member is None else self.feeds.get(member, NOT_UP)

    def _own_feed(self, member: Name, now: float) -> Feed:
        """Return the feed of *member*; one that begins shares the clock."""
        return self.feeds.get(member) or Feed(listened=self.feed.listened_by(now))
