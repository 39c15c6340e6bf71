"""What is in a state's file, beside all code of ours."""

import sqlite3

from autoscaler.shell.state.rows import STATE


def rows(path, statement):
    connection = sqlite3.connect(path / STATE)
    try:
        return connection.execute(statement).fetchall()
    finally:
        connection.close()
