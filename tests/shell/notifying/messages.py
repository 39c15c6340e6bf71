"""Messages to notify of."""

from autoscaler.shell.notifying.message import Notification

SECRET = b"0123456789abcdef0123456789abcdef"
LOST = Notification(
    id="42",
    deployment="west",
    wall=1_772_366_400.25,
    level="error",
    event="primary_lost",
    fields={"group": "west/user:web", "name": "user:web", "took_s": 0.5},
)
