"""What a caller has yet to be sent."""

import pytest
import trio

from albatross_client.sandbox import outbox as module
from albatross_client.sandbox.outbox import Garbled, Huge, Outbox


async def test_what_is_put_in_comes_out_in_order_and_then_the_end():
    outbox = Outbox(1)
    outbox.put(Garbled())
    outbox.put(Huge())
    outbox.end()

    assert [await outbox.receive(), await outbox.receive()] == [Garbled(), Huge()]
    with pytest.raises(trio.EndOfChannel):
        await outbox.receive()


async def test_a_cut_loses_what_is_still_in(autojump_clock):
    outbox = Outbox(1)
    outbox.put(Garbled())
    outbox.cut()

    with pytest.raises(trio.BrokenResourceError):
        await outbox.receive()


async def test_nothing_goes_in_after_the_end():
    outbox = Outbox(1)
    outbox.end()
    outbox.put(Garbled())

    with pytest.raises(trio.EndOfChannel):
        await outbox.receive()


async def test_what_is_held_comes_later_and_all_at_once(autojump_clock):
    outbox = Outbox(1)
    outbox.put(Garbled())
    outbox.put(Huge())
    outbox.end()
    outbox.hold(35.0)

    await outbox.receive()
    first = trio.current_time()
    await outbox.receive()

    assert first == pytest.approx(35.0)
    assert trio.current_time() == first
    with pytest.raises(trio.EndOfChannel):
        await outbox.receive()


async def test_a_shorter_hold_does_not_end_a_longer_one(autojump_clock):
    outbox = Outbox(1)
    outbox.put(Garbled())
    outbox.hold(35.0)
    outbox.hold(5.0)

    await outbox.receive()

    assert trio.current_time() == pytest.approx(35.0)


async def test_a_cut_wakes_who_waits_on_a_hold(autojump_clock, nursery):
    outbox = Outbox(1)
    outbox.put(Garbled())
    outbox.hold(1e6)

    async def cut_later():
        await trio.sleep(3)
        outbox.cut()

    nursery.start_soon(cut_later)
    with pytest.raises(trio.BrokenResourceError):
        await outbox.receive()
    assert trio.current_time() == pytest.approx(3.0)


async def test_a_cancelled_receive_loses_nothing(autojump_clock):
    outbox = Outbox(1)
    outbox.put(Garbled())
    outbox.hold(35.0)

    with trio.move_on_after(1) as scope:
        await outbox.receive()

    assert scope.cancelled_caught
    assert await outbox.receive() == Garbled()


async def test_a_subscriber_that_never_reads_is_cut(monkeypatch):
    monkeypatch.setattr(module, "MAX_PENDING", 3)
    outbox = Outbox(1)

    for _ in range(4):
        outbox.put(Garbled())

    assert outbox.is_over
    with pytest.raises(trio.BrokenResourceError):
        await outbox.receive()
