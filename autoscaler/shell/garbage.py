"""How often Python looks for cycles among objects."""

import gc

# Every frame and tick replaces small frozen values, which form no cycles and go
# as soon as nothing refers to them.  With Python's own thresholds the search
# for cycles among them takes a third of a tick of a thousand groups.
THRESHOLDS = (50_000, 20, 20)


def collect_seldom() -> None:
    """Look for cycles less often, as suits a daemon full of frozen values."""
    gc.set_threshold(*THRESHOLDS)
