"""Statistics and consoles are the same in memory and behind TLS."""

import pytest
import trio

from albatross_client.errors import (
    CommandRefusedError,
    HungUpError,
)
from albatross_client.names import ROOT
from albatross_client.replies import (
    ConsoleLine,
)
from albatross_client.values import (
    Config,
)
from tests.sandbox_fixtures import (
    API,
    CLONE,
    IMAGE,
    USER,
    WEB,
)


async def test_statistics_are_heard_by_absolute_name_in_descending_order(side):
    for name in (API, WEB, CLONE):
        await side.client.create(name, Config(), IMAGE)

    async with await side.client.stats(ROOT) as stream:
        heard = [await stream.receive() for _ in range(3)]

    assert [each.name for each in heard] == [CLONE, WEB, API]
    assert [each.sample.name for each in heard] == [str(each.name) for each in heard]


@pytest.mark.parametrize("path", [USER, WEB], ids=["domain", "one name"])
async def test_names_of_samples_are_relative_to_the_subscription(side, path):
    await side.client.create(WEB, Config(), IMAGE)

    async with await side.client.stats(path) as stream:
        heard = await stream.receive()

    assert (heard.name, heard.sample.name) == (WEB, ":web")


async def test_a_second_subscriber_of_a_path_ends_the_first(side):
    first = await side.client.stats(USER)
    second = await side.client.stats(USER)
    elsewhere = await side.client.stats(ROOT)
    await side.client.create(WEB, Config(), IMAGE)

    with pytest.raises(HungUpError, match=r"^exception while reading from fd"):
        await first.receive()

    assert (await second.receive()).name == WEB
    assert (await elsewhere.receive()).name == WEB
    for stream in (first, second, elsewhere):
        await stream.aclose()


async def test_a_closed_subscription_frees_its_path(side):
    stream = await side.client.stats(USER)

    await stream.aclose()

    with pytest.raises(trio.ClosedResourceError):
        await stream.receive()
    async with await side.client.stats(USER) as again:
        await side.client.create(WEB, Config(), IMAGE)
        assert (await again.receive()).name == WEB


async def test_a_unikernel_created_again_speaks_on_the_same_subscription(side):
    await side.client.create(WEB, Config(), IMAGE)
    async with await side.client.stats(USER) as stream:
        before = await stream.receive()

        await side.client.destroy(WEB)
        await side.client.create(WEB, Config(), IMAGE)

        while (after := await stream.receive()).sample.start_us == (
            before.sample.start_us
        ):
            pass
    assert after.name == WEB


async def test_a_console_tells_its_history_and_then_what_is_written(side):
    await side.client.create(WEB, Config(memory=32), IMAGE)
    side.host.write(WEB, "ready")

    async with await side.client.console(WEB, 2) as stream:
        history = [await stream.receive(), await stream.receive()]
        side.host.write(WEB, "hello")
        line = await stream.receive()

    assert not stream.waiting
    assert [each.text for each in history] == [
        b"Solo5: Memory map: 32 MB addressable:",
        b"ready",
    ]
    assert isinstance(line, ConsoleLine)
    assert line.text == b"hello"


async def test_the_console_of_an_unknown_name_waits_for_it(side):
    async with await side.client.console(WEB, 2) as stream:
        await side.client.create(WEB, Config(), IMAGE)
        line = await stream.receive()

    assert stream.waiting
    assert line.text.startswith(b"Solo5")


async def test_the_console_of_a_path_is_refused(side):
    with pytest.raises(CommandRefusedError, match=r"^path used instead of name$"):
        await side.client.console(USER, 2)


async def test_a_sixth_console_subscriber_ends_the_first(side):
    await side.client.create(WEB, Config(), IMAGE)
    streams = [await side.client.console(WEB, 0) for _ in range(6)]
    side.host.write(WEB, "hello")

    with pytest.raises(HungUpError, match=r"from fd \(others follow the same console"):
        await streams[0].receive()

    assert [(await stream.receive()).text for stream in streams[1:]] == [b"hello"] * 5
    for stream in streams:
        await stream.aclose()
