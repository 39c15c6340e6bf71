"""The search for cycles is rare, and never off."""

import gc

from autoscaler.shell.garbage import THRESHOLDS, collect_seldom


def test_cycles_are_searched_for_seldom_but_still():
    before = gc.get_threshold()
    try:
        collect_seldom()

        assert gc.get_threshold()[0] == THRESHOLDS[0]
        assert gc.isenabled()
    finally:
        gc.set_threshold(*before)
