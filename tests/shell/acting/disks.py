"""A disk that can be full."""

import sqlite3

from attrs import define, field

from autoscaler.shell.state.schema import prepare
from autoscaler.shell.state.store import Store


@define
class Disk:
    """A real database in memory that can be made read-only."""

    connection: sqlite3.Connection = field(
        factory=lambda: sqlite3.connect(":memory:", isolation_level=None)
    )

    def store(self) -> Store:
        prepare(self.connection, "the test's state")
        return Store(self.connection, None)

    def set_readable_only(self, *, is_readable_only: bool = True) -> None:
        self.connection.execute(f"PRAGMA query_only = {int(is_readable_only)}")

    def steps(self) -> list[tuple[str, str]]:
        """The steps of all clones, in the order they were written down."""
        rows = self.connection.execute("SELECT name, step FROM steps ORDER BY number")
        return rows.fetchall()

    def actions(self) -> list[tuple[str | None, str | None]]:
        rows = self.connection.execute("SELECT outcome, error FROM actions")
        return rows.fetchall()
