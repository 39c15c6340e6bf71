"""What a group may look at when it decides: one host, as it is known now.

The hosts are the truth about what runs; a view is the newest of what they said
and how old that is.  Views are made afresh for each event and kept by nobody.
"""

from collections.abc import Mapping

from attrs import evolve, field, frozen

from albatross_client.names import Name
from albatross_client.values import Info, ResourcePolicy
from autoscaler.core.backend import Backend
from autoscaler.core.rhythm import Rhythm
from autoscaler.core.track import Track

# Beyond this many intervals without a usage a member is stale.
STALE_INTERVALS = 3.5
# A stream on which nothing comes for this long is a dead connection.
STALL_INTERVALS = 3
STALL_LEAST_S = 30.0
STALL_AT_FIRST_S = 200.0


@frozen
class Feed:
    """One stats stream.

    Attributes:
        rhythm: Its interval.
        stream: Counts its subscriptions, one after another.
        up_since: When this subscription began; None: it is down.
        listened: Seconds that the earlier subscriptions were up, together.
    """

    rhythm: Rhythm = Rhythm()
    stream: int = 0
    up_since: float | None = None
    listened: float = 0.0

    @property
    def stale_after(self) -> float:
        """Seconds without a usage that make a member stale."""
        return STALE_INTERVALS * self.rhythm.reckoned

    def listened_by(self, now: float) -> float:
        """Return for how long the stream has been up, all together, seconds.

        Silence is measured on this clock: it stands still while nobody listens.
        """
        running = 0.0 if self.up_since is None else now - self.up_since
        return self.listened + running


def opened(feed: Feed, now: float) -> Feed:
    """Return *feed* with a new subscription that began at *now*."""
    return evolve(closed(feed, now), stream=feed.stream + 1, up_since=now)


def closed(feed: Feed, now: float) -> Feed:
    """Return *feed* with its subscription ended at *now*."""
    return evolve(feed, up_since=None, listened=feed.listened_by(now))


def stall_limit(feed: Feed, longest: float | None) -> float:
    """Return after how many seconds without any frame the stream has stalled.

    Arguments:
        feed: The stream.
        longest: The longest recent distance between two frames of one
            unikernel on this stream; None while there was none.
    """
    reckoned = feed.rhythm.reckoned
    if longest is None:
        # A host that is known to speak seldom would never bring two frames.
        return max(STALL_INTERVALS * reckoned, STALL_AT_FIRST_S)
    return max(STALL_INTERVALS * max(reckoned, longest), STALL_LEAST_S)


@frozen
class Occupant:
    """Something that takes part of the host, now or soon.

    Attributes:
        name: Absolute.
        memory: MB.
        cpuids: What it is pinned to.
    """

    name: Name
    memory: int
    cpuids: frozenset[int]


@frozen
class Listing:
    """An answer to `info`.

    Attributes:
        infos: What runs, by absolute name.
        asked: When the question was sent.
        answered: When the answer came.
    """

    infos: Mapping[Name, Info]
    asked: float
    answered: float


@frozen
class Around:
    """What is known of the host beyond the group's own domain.

    Attributes:
        occupants: All that runs there, as far as our certificate shows it, by
            the newest answer that any domain of it was given.
        tracks: What frames tell, of each domain that is listened to.
    """

    occupants: tuple[Occupant, ...] = ()
    tracks: tuple[Mapping[Name, Track], ...] = ()


@frozen
class Rules:
    """An answer to `policy info`.

    Attributes:
        policies: Resource policies by absolute domain, those above included as
            far as our certificate shows them.
        answered: When the answer came.
    """

    policies: Mapping[Name, ResourcePolicy]
    answered: float


@frozen
class Claim:
    """What a clone that is decided, but not yet listed, will take.

    Attributes:
        name: The clone.
        memory: MB.
        cpuids: What it will be pinned to.
    """

    name: Name
    memory: int
    cpuids: frozenset[int]


@frozen(kw_only=True)
class View:
    """What is known of the host of a group.

    Attributes:
        feed: The stats stream of the group's domain; where each unikernel has
            a stream of its own, what they have in common.
        tracks: What every unikernel's frames tell, by absolute name.
        around: What is known of other domains of the host.
        listing: The newest answer to `info`; None: none yet.
        rules: The newest answer to `policy info`; None: none yet.
        claims: What other groups of this host are about to create.
        reconcile_interval: How often both are asked, seconds.
        is_writable: Whether the state can be written: if not, nothing begins.
        is_contested: Whether somebody else keeps taking our statistics path.
        lost: Members on this host, of any group, that restarted or fell silent
            lately, each with when, monotonic seconds; not those we removed.
        backend: What the group's balancer told last; None: it has none, or it
            has told nothing yet.
        peers: How many members there are, the lost ones included.
        feeds: The streams of unikernels that have their own; only when each is
            up and how long it has listened count, the rhythm is the host's.
    """

    feed: Feed
    tracks: Mapping[Name, Track]
    listing: Listing | None = None
    rules: Rules | None = None
    around: Around = Around()
    claims: tuple[Claim, ...] = ()
    reconcile_interval: float = 60.0
    is_writable: bool = True
    is_contested: bool = False
    lost: tuple[tuple[Name, float], ...] = ()
    peers: int = 0
    feeds: Mapping[Name, Feed] = field(factory=dict)
    backend: Backend | None = None

    def feed_of(self, name: Name) -> Feed:
        """Return the stream that *name* is heard on."""
        # Asked for every member at every tick: a name's hash is not free.
        return self.feeds.get(name, self.feed) if self.feeds else self.feed

    def lists(self, name: Name) -> bool:
        """Tell whether the newest `info` shows *name*."""
        return self.listing is not None and name in self.listing.infos

    def info(self, name: Name) -> Info | None:
        """Return what the newest `info` says of *name*."""
        return None if self.listing is None else self.listing.infos.get(name)

    def is_current(self, now: float) -> bool:
        """Tell whether both answers are young enough to act on."""
        limit = 2 * self.reconcile_interval
        return (
            self.listing is not None
            and self.rules is not None
            and now - self.listing.answered < limit
            and now - self.rules.answered < limit
        )
