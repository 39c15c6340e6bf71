"""Tests of what an operator may want."""

import pytest

from autoscaler.core.policy import Adopt, Mode, OnPrimaryLoss, Policy


def test_the_defaults_are_the_documented_ones():
    policy = Policy(max_clones=4)

    assert (policy.min_clones, policy.poll_interval) == (0, 10.0)
    assert (policy.scale_up_threshold_percent, policy.scale_up_trigger_ticks) == (90, 3)
    assert policy.scale_down_threshold_percent == 40
    assert policy.scale_down_trigger_ticks == 5
    assert (policy.cooldown_up, policy.cooldown_down) == (60, 300)
    assert (policy.warmup, policy.death_timeout, policy.boot_timeout) == (30, 900, 60)
    assert (policy.quorum, policy.flap_margin, policy.scale_up_step) == (0.5, 5, 1)
    assert (policy.mode, policy.adopt) == (Mode.ACTIVE, Adopt.SAME_IMAGE)
    assert (policy.outage_fraction, policy.outage_hold) == (45, 600)
    assert (policy.max_actions_per_hour, policy.max_reversals_per_6h) == (40, 40)
    assert (policy.max_failures_in_row, policy.stand_down) == (5, 3600)
    assert (policy.scale_up, policy.scale_down) == (True, True)
    assert (policy.min_stable, policy.roll_back_useless) == (30, False)
    assert policy.on_primary_loss is OnPrimaryLoss.KEEP
    assert not policy.share_cpuids
    assert not policy.share_block_devices


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"max_clones": -1}, "max_clones"),
        ({"min_clones": -1}, "min_clones"),
        ({"min_clones": 5}, "min_clones"),
        ({"poll_interval": 0}, "poll_interval"),
        ({"scale_up_threshold_percent": 100.1}, "scale_up_threshold_percent"),
        ({"scale_up_trigger_ticks": 0}, "scale_up_trigger_ticks"),
        ({"scale_up_step": 0}, "scale_up_step"),
        ({"scale_down_threshold_percent": -0.1}, "scale_down_threshold_percent"),
        ({"scale_down_threshold_percent": 80.1}, "scale_down_threshold_percent"),
        ({"scale_down_trigger_ticks": 0}, "scale_down_trigger_ticks"),
        ({"flap_margin": 101}, "flap_margin"),
        ({"cooldown_up": -1}, "cooldown_up"),
        ({"cooldown_down": -1}, "cooldown_down"),
        ({"warmup": -1}, "warmup"),
        ({"death_timeout": 0}, "death_timeout"),
        ({"boot_timeout": 0}, "boot_timeout"),
        ({"quorum": 0}, "quorum"),
        ({"quorum": 1.01}, "quorum"),
        ({"outage_fraction": 101}, "outage_fraction"),
        ({"outage_hold": -1}, "outage_hold"),
        ({"max_actions_per_hour": 0}, "max_actions_per_hour"),
        ({"max_reversals_per_6h": 0}, "max_reversals_per_6h"),
        ({"max_failures_in_row": 0}, "max_failures_in_row"),
        ({"stand_down": 0}, "stand_down"),
        ({"min_stable": -1}, "min_stable"),
    ],
)
def test_what_is_out_of_its_range_is_refused_by_name(changes, key):
    with pytest.raises(ValueError, match=key):
        Policy(**{"max_clones": 4} | changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"max_clones": 0},
        {"min_clones": 4},
        {"scale_up_threshold_percent": 100, "scale_down_threshold_percent": 90},
        {"scale_down_threshold_percent": 0, "flap_margin": 0, "quorum": 1},
        {"cooldown_up": 0, "cooldown_down": 0, "warmup": 0},
    ],
)
def test_the_ends_of_the_ranges_are_allowed(changes):
    policy = Policy(**{"max_clones": 4} | changes)

    assert all(getattr(policy, key) == value for key, value in changes.items())


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (Mode.ACTIVE, Mode.ACTIVE, Mode.ACTIVE),
        (Mode.ACTIVE, Mode.OBSERVE, Mode.OBSERVE),
        (Mode.OBSERVE, Mode.ACTIVE, Mode.OBSERVE),
        (Mode.PAUSED, Mode.OBSERVE, Mode.PAUSED),
        (Mode.ACTIVE, Mode.PAUSED, Mode.PAUSED),
    ],
)
def test_the_more_careful_mode_wins(one, other, expected):
    assert one.limited_by(other) is expected
