"""Runs of autoscaler check."""

from datetime import UTC, datetime, timedelta

from albatross_client.certificates import Validity
from albatross_client.names import ROOT
from autoscaler.cli import main
from autoscaler.cli.survey import Opened

NOW = datetime(2026, 6, 1, tzinfo=UTC)
WALL = NOW.timestamp()


def check(*words):
    return main(["check", "--config", *map(str, words)])


def validity(days):
    return Validity("CN=user", NOW - timedelta(days=1), NOW + timedelta(days=days))


def opener(client, days=365.0):
    return lambda _settings: Opened(client, ROOT, (validity(days),))
