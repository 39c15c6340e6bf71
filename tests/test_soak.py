"""Short soaks: what `make soak-virtual` does for a month, for some hours.

A soak that finds nothing proves nothing unless it finds what is wrong, so its
judge is tried on daemons that break promises, too.
"""

from random import Random

import pytest
import trio
from attrs import evolve
from trio.testing import MockClock

from autoscaler.core.group import Group
from autoscaler.shell.assemble import revive_groups
from tests.soak.frames import AsOctets
from tests.soak.promises import BOUNDS, Growth
from tests.soak.world import HOUR_S, Soak, Wish
from tests.soak_virtual import make_repeatable

# Hours of virtual time, in whole daemons: traced they take three times as long.
pytestmark = pytest.mark.no_cover


def soaked(wish):
    """Return the soak that *wish* wants, once it is over."""
    make_repeatable(wish.seed)
    return trio.run(_soaked, wish, clock=MockClock(autojump_threshold=0))


async def _soaked(wish):
    soak = Soak(wish)
    await soak.run()
    return soak


@pytest.mark.parametrize("seed", [1, 2])
def test_hours_of_faults_break_no_promise(seed):
    soak = soaked(Wish(seconds=2 * HOUR_S, groups=6, seed=seed))

    assert soak.judge.violations == []
    assert sum(soak.judge.actions.values()) > 10
    assert soak.weather.faults > 60
    assert soak.daemons > 1


@pytest.mark.slow
def test_hours_of_real_frames_cut_anywhere_break_no_promise():
    octets = AsOctets(Random(7))  # noqa: S311 - no secret

    soak = soaked(Wish(seconds=6 * HOUR_S, groups=25, seed=7, carrier=octets))

    assert soak.judge.violations == []
    assert sum(soak.judge.actions.values()) > 50
    assert octets.frames > 40_000


def forget_cooldowns(monkeypatch):
    def revive(wanted, kept, clocks):
        groups = revive_groups(wanted, kept, clocks)
        return tuple(
            evolve(g, ledger=evolve(g.ledger, changed_at=None)) for g in groups
        )

    monkeypatch.setattr("tests.soak.world.revive_groups", revive)


def forget_numbers(monkeypatch):
    def revive(wanted, kept, clocks):
        groups = revive_groups(wanted, kept, clocks)
        return tuple(evolve(g, ledger=evolve(g.ledger, next_number=1)) for g in groups)

    monkeypatch.setattr("tests.soak.world.revive_groups", revive)


def never_tick(monkeypatch):
    monkeypatch.setattr("autoscaler.shell.ticker.next_tick", lambda *_: None)


def miscount_clones(monkeypatch):
    few = property(lambda group: len(group.clones) + len(group.ledger.slots) - 1)
    monkeypatch.setattr(Group, "clones_and_slots", few)


@pytest.mark.parametrize(
    ("sabotage", "complaint"),
    [
        pytest.param(forget_cooldowns, "a cooldown of", id="forgets cooldowns"),
        pytest.param(forget_numbers, "used", id="forgets numbers"),
        pytest.param(never_tick, "overloaded, and holds", id="never looks"),
        pytest.param(miscount_clones, "clones where", id="miscounts"),
    ],
)
def test_a_daemon_that_breaks_a_promise_is_found_out(monkeypatch, sabotage, complaint):
    sabotage(monkeypatch)

    soak = soaked(Wish(seconds=12 * HOUR_S, groups=6, seed=3))

    assert any(complaint in violation for violation in soak.judge.violations)


async def test_what_nobody_asked_for_is_no_business_of_the_daemon(autojump_clock):
    soak = Soak(Wish(seconds=0, groups=1, seed=1))
    (host,), (group_id,) = soak.hosts.values(), soak.policies
    soak.weather.create(host, group_id.clone(9), b"\x7fELF foreign")

    await host.destroy(group_id.clone(9))

    complaints = "\n".join(soak.judge.violations)
    assert "without an intent on record" in complaints
    assert "isn't ours to destroy" in complaints


def test_what_outgrows_its_bound_is_told():
    growth = Growth()
    growth.note("tracks of a watch", BOUNDS["tracks of a watch"] + 1)
    growth.note("foreign clones", 3)

    assert growth.excess() == ["301 tracks of a watch"]
