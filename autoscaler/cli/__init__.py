"""The command `autoscaler`."""

from autoscaler.cli.main import main

__all__ = ["main"]
