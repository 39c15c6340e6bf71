"""Somebody who sets up a first configuration."""

import io
import sys

import pytest

from albatross_client.sandbox.embed import SANDBOX_IMAGE
from albatross_client.values import Config
from tests.cli.setting_up.typist import Typist
from tests.sandbox_fixtures import (
    WEB,
)


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """Everybody works in a directory of their own, at no terminal."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    return tmp_path


@pytest.fixture
def types(monkeypatch):
    def begin(*lines):
        monkeypatch.setattr(sys, "stdin", Typist(*lines))

    return begin


@pytest.fixture
async def sandbox(tls_sandbox):
    """A host with ``user:web``; its keys are in ``keys``."""
    tls_sandbox.host.create(WEB, Config(image=SANDBOX_IMAGE))
    return tls_sandbox
