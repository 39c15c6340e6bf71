"""Runs of autoscaler init."""

import trio

from autoscaler.cli import main


async def command(*words):
    return await trio.to_thread.run_sync(main, [*map(str, words)])


async def init(*words):
    return await command("init", *words)


def whole(sandbox, *more):
    """Return options that leave nothing to be asked."""
    return (
        f"--host={sandbox.address}",
        "--ca=keys/user.pem",
        "--primary=user:web",
        *more,
    )
