"""An activator's settings, and members that it joins connections to."""

from autoscaler.core.activation import ActivatorSettings
from autoscaler.core.backend import Place
from autoscaler.core.holding import (
    Serving,
)

SETTINGS = ActivatorSettings(
    listen=Place("127.0.0.1", 9000),
    max_held=2,
    hold_timeout=10,
    connect_timeout=2,
    wake_pause=3,
)
ONE, TWO, THREE = (Serving(f"web-{n}", Place(f"10.0.0.{n}", 80)) for n in (1, 2, 3))
