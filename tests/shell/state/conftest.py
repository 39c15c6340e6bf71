"""Stores to try."""

import pytest

from autoscaler.shell.state.store import Store
from tests.shell.kept import (
    CLOCKS,
)


@pytest.fixture(params=["file", "memory"])
async def store(request, tmp_path):
    opened = (
        await Store.open(tmp_path, lambda: CLOCKS.wall)
        if request.param == "file"
        else Store.in_memory(lambda: CLOCKS.wall)
    )
    async with opened:
        yield opened


@pytest.fixture
async def on_disk(tmp_path):
    async with await Store.open(tmp_path, lambda: CLOCKS.wall) as opened:
        yield opened
