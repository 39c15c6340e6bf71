"""Fleets to look at, as the daemon would tell of them."""

from datetime import UTC

from attrs import evolve

from autoscaler.cli.screen.sights import Sight, read_sight
from autoscaler.shell.state.store import Store
from tests.shell.kept import CLOCKS, WEST_API, WEST_WEB, Row, record, snapshot

AT = "2026-03-01T14:03:11.250+00:00"
FLAP_WORDS = "to shrink: the mean of all is 10.0 points above 40 %; 0 of 5 low ticks"


def member(name="user:web", counts_as="fresh", usage=52.0):
    return {"name": name, "class": counts_as, "usage_percent": usage}


def guard(name, of="up", age_s=42.0, left_s=None):
    return {
        "name": name,
        "of": of,
        "verdict": "holds",
        "value": None,
        "limit": None,
        "left_s": left_s,
        "says": "it holds",
        "age_s": age_s,
    }


def group(name="west/user:web", reason="steady", **changes):
    form = {
        "group": name,
        "mode": "active",
        "said": None,
        "need": 0,
        "needs": [],
        "decision": {
            "outcome": "hold",
            "reason": reason,
            "why": "the means, 52.0 % of those who report and 52.0 % of all, call "
            "for no change",
            "age_s": 125.0,
        },
        "flip": {"aim": "down", "lacks": [], "told": FLAP_WORDS},
        "sizes": {
            "wants": 1,
            "can": 4,
            "has": 1,
            "coming": 0,
            "blocked_by": None,
            "told": "wants 1, can 4, has 1 (clones)",
        },
        "guards": [guard("mean_up"), guard("low_ticks", "down", age_s=4000)],
        "members": [member(), member("user:web-clone-1", usage=51.5)],
        "load_percent": 51.75,
        "thresholds": {"up": 90.0, "down": 40.0},
        "actions": [],
        "hour_percent": [None, 20.0, 45.5, 93.0, 60.0],
    }
    return {**form, **changes}


SHORT = group(
    "west/user:shop",
    reason="no_capacity",
    need=2,
    needs=["wants 3, can 1, has 1 (clones); blocked by no capacity (memory)"],
    decision={
        "outcome": "hold",
        "reason": "no_capacity",
        "why": "the mean of those who report, 97.0 %, is above 90 % for 3 ticks, but "
        "the policy of user allows 64 MB of memory, of which 64 MB are used",
        "age_s": 600.0,
    },
    flip={
        "aim": "up",
        "lacks": [],
        "told": "to grow: the policy of user allows 64 MB of memory, of which 64 MB "
        "are used; 3 clones below max_clones",
    },
    sizes={
        "wants": 3,
        "can": 1,
        "has": 1,
        "coming": 0,
        "blocked_by": "no_capacity",
        "told": "wants 3, can 1, has 1 (clones); blocked by no capacity (memory)",
    },
    guards=[guard("capacity", age_s=600.0), guard("cooldown_up", left_s=12.4)],
    members=[
        member("user:shop", usage=97.0),
        member("user:shop-clone-1", "given_up", None),
    ],
    load_percent=97.0,
    hour_percent=[50.0, 95.0, 97.0],
)
HELD = group(
    "west/user:api",
    reason="paused",
    mode="paused",
    said={"mode": "paused", "user": "ada", "age_s": 7200.0},
    need=1,
    needs=["paused by ada for 2.0 hours, until resumed"],
    load_percent=None,
)


def stream(host="west", domain="user", *, up=True, age_s=3600.0):
    return {"host": host, "domain": domain, "up": up, "age_s": age_s}


def form(*groups, **fleet):
    told = {
        "hosts": 1,
        "groups": len(groups),
        "members": 4,
        "clones": 2,
        "mode": None,
        "streams": [stream()],
        "need": max((each["need"] for each in groups), default=0),
        "needs": [
            f"{each['group']}: {each['needs'][0]}"
            for each in groups
            if each["need"] > 1
        ],
    }
    return {"at": AT, "fleet": {**told, **fleet}, "groups": list(groups)}


def sight(*groups, **fleet) -> Sight:
    """Return what is shown of *groups*, by a clock in UTC."""
    read = read_sight(form(*groups, **fleet))
    return evolve(read, at=read.at.astimezone(UTC))


async def keep(directory):
    """Leave a state as of a daemon of two groups that has ended."""
    rows = [Row(WEST_WEB, CLOCKS.wall, record().decision, record())]
    async with await Store.open(directory / "state", lambda: CLOCKS.wall) as store:
        await store.save([snapshot(clones=(1,)), snapshot(WEST_API)])
        await store.record_decisions(rows)
