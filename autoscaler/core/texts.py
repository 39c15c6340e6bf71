"""Foreign text made fit for a line."""

from albatross_client.texts import LONGEST, clean

__all__ = ["LONGEST", "clean"]
