"""What all tests of pages need."""

import pytest
import trio


@pytest.fixture(autouse=True)
def threads_take_no_time(monkeypatch):
    """Do in place what is meant for a thread.

    A virtual clock jumps on while a thread works: a short look at a file would
    take minutes.
    """

    async def run_sync(work, *args):
        await trio.lowlevel.checkpoint()
        return work(*args)

    monkeypatch.setattr(trio.to_thread, "run_sync", run_sync)
