"""Many policies, for tests that want any."""

from random import Random

from hypothesis import strategies as st

from autoscaler.core.policy import Mode, OnPrimaryLoss, Policy


def drawn_policy(number: int) -> Policy:
    """Return one of many policies of small numbers: every limit is met."""
    pick = Random(number).choice  # noqa: S311 - the same ones each time
    return Policy(
        max_clones=pick((2, 3, 4)),
        min_clones=pick((0, 0, 1, 2)),
        mode=pick((*[Mode.ACTIVE] * 8, Mode.OBSERVE, Mode.PAUSED)),
        poll_interval=pick((1.0, 10.0, 10.0, 25.0, 70.0)),
        scale_up_threshold_percent=pick((70.0, 90.0)),
        scale_up_trigger_ticks=pick((1, 2, 3)),
        scale_up_step=pick((1, 1, 2, 3)),
        scale_down_threshold_percent=pick((20.0, 40.0)),
        scale_down_trigger_ticks=pick((1, 2, 3)),
        cooldown_up=pick((0.0, 60.0)),
        cooldown_down=pick((0.0, 100.0)),
        warmup=pick((0.0, 30.0)),
        death_timeout=pick((40.0, 120.0)),
        quorum=pick((0.5, 1.0)),
        outage_hold=pick((0.0, 60.0)),
        max_actions_per_hour=pick((40, 40, 8)),
        max_reversals_per_6h=pick((40, 5)),
        max_failures_in_row=pick((5, 50)),
        stand_down=pick((100.0, 600.0)),
        roll_back_useless=pick((False, True)),
        scale_up=pick((*[True] * 9, False)),
        scale_down=pick((*[True] * 9, False)),
        on_primary_loss=pick(tuple(OnPrimaryLoss)),
    )


# Drawing each number of each of them would take most of the time.
POLICIES = st.sampled_from([drawn_policy(number) for number in range(200)])
