"""albatrossctl: Albatross hosts from the command line."""

from albatross_client.cli.main import main

__all__ = ["main"]
