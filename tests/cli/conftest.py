"""A sandbox host for commands, and a clock that stands still."""

import pytest

from albatross_client.sandbox.demand import Demand
from albatross_client.sandbox.embed import Options, run_sandbox
from albatross_client.sandbox.live import Settings as HostSettings
from albatross_client.values import Config
from tests.cli.running import USER, WEB
from tests.sandbox_fixtures import USER_POLICY
from tests.shell.kept import CLOCKS


@pytest.fixture
async def sandbox(nursery, tmp_path):
    options = Options(
        directory=tmp_path / "keys",
        settings=HostSettings(
            interval=0.25,
            policies={USER: USER_POLICY},
            demands={WEB: Demand.constant(2)},
        ),
        unikernels={WEB: Config(memory=32)},
    )
    return await nursery.start(run_sandbox, options)


@pytest.fixture
def clocks(monkeypatch):
    form = "autoscaler.shell.operators.status_form"
    monkeypatch.setattr(f"{form}.wall_clock", lambda: CLOCKS.wall + 8)
    monkeypatch.setattr(f"{form}.boot_clock", lambda: CLOCKS.boot + 8)
    monkeypatch.setattr(f"{form}.boot_id", lambda: CLOCKS.boot_id)
