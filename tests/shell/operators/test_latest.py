"""What takes a while to make is made once for all who ask within a second."""

import pytest
import trio

from autoscaler.shell.operators.latest import KEPT_S, Latest


class Making:
    """Makes numbers, each a tenth of a second."""

    def __init__(self):
        self.made = 0
        self.at_once = 0
        self.fails = False

    async def make(self):
        self.at_once += 1
        assert self.at_once == 1
        await trio.sleep(0.1)
        self.at_once -= 1
        if self.fails:
            raise OSError
        self.made += 1
        return self.made


@pytest.fixture
def making():
    return Making()


async def test_those_who_ask_at_once_get_the_same(autojump_clock, nursery, making):
    latest, told = Latest(making.make), []

    async def ask():
        told.append(await latest.get())

    for _ in range(60):
        nursery.start_soon(ask)
    await trio.sleep(0.5)

    assert told == [1] * 60


async def test_after_a_second_it_is_made_anew(autojump_clock, making):
    latest = Latest(making.make)

    first = await latest.get()
    await trio.sleep(KEPT_S)

    assert (first, await latest.get()) == (1, 2)


async def test_what_was_forgotten_is_made_anew(autojump_clock, making):
    latest = Latest(making.make)

    first = await latest.get()
    latest.forget()

    assert (first, await latest.get(), await latest.get()) == (1, 2, 2)


async def test_what_changes_while_it_is_made_is_not_kept(
    autojump_clock, nursery, making
):
    latest = Latest(making.make)
    nursery.start_soon(latest.get)
    await trio.sleep(0.05)

    latest.forget()

    assert await latest.get() == 2


async def test_a_failure_is_told_and_not_kept(autojump_clock, making):
    latest, making.fails = Latest(making.make), True

    with pytest.raises(OSError):  # noqa: PT011 - of no more kind
        await latest.get()
    making.fails, making.at_once = False, 0

    assert await latest.get() == 1
