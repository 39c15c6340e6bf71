"""Fixtures and settings for the tests of every folder."""

import contextlib
import os
import re
import sqlite3
import sys

import pytest
from hypothesis import HealthCheck, settings

from autoscaler.shell.log import Log
from tests.chromium_fixture import browser
from tests.events import misfits_of
from tests.haproxy_fixture import haproxy, haproxy_program, tell_what_was_skipped
from tests.sandbox_fixtures import memory_client, memory_host, tls_sandbox

__all__ = [
    "browser",
    "haproxy",
    "haproxy_program",
    "memory_client",
    "memory_host",
    "tls_sandbox",
]

NOT_INSTALLED = re.compile(r" (\w+) is not installed: apt-get install")

# No deadline and no complaint about slow draws: machines have other work.
# In CI every run draws the same examples: a red build is red again.
settings.register_profile(
    "local", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("ci", settings.get_profile("local"), derandomize=True)
settings.load_profile("ci" if "CI" in os.environ else "local")


@pytest.fixture(autouse=True)
def every_line_is_as_its_event_says(monkeypatch):
    """Hold all that any test logs to the tables of events and fields."""
    take = Log._take  # noqa: SLF001 - the one way of all lines

    def checked(log, level, name, fields):
        assert (misfits := misfits_of(name, fields)) == [], misfits
        take(log, level, name, fields)

    monkeypatch.setattr(Log, "_take", checked)


@pytest.fixture(autouse=True)
def databases_end_with_their_test(monkeypatch):
    """Close what a test leaves open: a store in memory has no end of its own.

    From Python 3.13 on a connection that is collected open is a warning.
    """
    connections = []
    connect = sqlite3.connect

    def remember(*args, **kwargs):
        connection = connect(*args, **kwargs)
        connections.append(connection)
        return connection

    monkeypatch.setattr(sqlite3, "connect", remember)
    yield
    for connection in connections:
        # Another thread's is not ours to close.
        with contextlib.suppress(sqlite3.ProgrammingError):
            connection.close()


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item):
    """Leave what is marked `no_cover` untraced, in parallel workers too.

    There pytest-cov measures twice, and pauses one of them alone.
    """
    if item.get_closest_marker("no_cover") is None:
        return (yield)
    tracer = sys.gettrace()
    sys.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(tracer)


def pytest_terminal_summary(terminalreporter):
    """Say loudly what could not be tried."""
    tell_what_was_skipped(terminalreporter)
    tell_what_is_not_installed(terminalreporter)
    tell_figures(terminalreporter)


def tell_what_is_not_installed(terminal) -> None:
    """Say which programs others of the machine would have tried it with."""
    skipped = terminal.stats.get("skipped", [])
    reasons = [str(report.longrepr) for report in skipped]
    for program in sorted({m[1] for r in reasons if (m := NOT_INSTALLED.search(r))}):
        count = sum(f" {program} is not installed" in reason for reason in reasons)
        terminal.write_sep("!", "not everything was tried", red=True)
        terminal.write_line(
            f"{program} is not installed: {count} tests were skipped", red=True
        )


def tell_figures(terminal) -> None:
    """Say what tests have measured."""
    reports = [report for each in terminal.stats.values() for report in each]
    figures = [
        text
        for report in reports
        if getattr(report, "when", None) == "call"
        for name, text in report.user_properties
        if name == "figure"
    ]
    if figures:
        terminal.write_sep("=", "figures")
        for text in figures:
            terminal.write_line(text)
