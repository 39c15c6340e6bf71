"""Many visitors beside each other, in virtual time."""

import pytest
import trio
from attrs import define, field

from albatross_client.sandbox.visitors.crowd import (
    AFTER_FAILURE_SECONDS,
    Crowd,
    Habits,
    Load,
)
from albatross_client.sandbox.visitors.tally import Outcome, Second, total
from albatross_client.sandbox.visitors.visit import Answer


@define
class FakeVisitor:
    """Is answered as *outcome* after *seconds*, and notes when it asked."""

    seconds: float = 0.0
    outcome: Outcome = Outcome.ANSWERED
    asked: list[tuple[float, bool]] = field(factory=list)
    is_closed: bool = False

    async def visit(self, *, keeps_alive):
        self.asked.append((trio.current_time(), keeps_alive))
        await trio.sleep(self.seconds)
        return Answer(outcome=self.outcome)

    def close(self):
        self.is_closed = True


@pytest.fixture
async def begin(nursery):
    """Return what begins a crowd: it, what it told, and what lets it leave."""

    async def begin(visitor, load, **habits):
        told: list[Second] = []
        leaving, gone = trio.Event(), trio.Event()
        crowd = Crowd(visitor, Habits(**habits), told.append)
        crowd.come(load)

        async def run():
            await crowd.run(leaving)
            gone.set()

        async def leave():
            leaving.set()
            await gone.wait()

        nursery.start_soon(run)
        return crowd, told, leave

    return begin


async def test_requests_come_at_their_rate(autojump_clock, begin):
    visitor = FakeVisitor(seconds=0.303)
    _, told, leave = await begin(visitor, Load(rate=100))

    await trio.sleep(10.005)
    await leave()

    assert len(visitor.asked) == 1001
    assert [second.number for second in told] == list(range(11))
    # What happens at the end of a second may count before or after it.
    assert all(99 <= second.tally.answered <= 101 for second in told[1:10])
    assert all(30 <= second.waiting <= 31 for second in told[:10])
    assert total(second.tally for second in told).answered == 1001
    assert visitor.is_closed


async def test_those_on_their_way_are_waited_for_at_the_end(autojump_clock, begin):
    visitor = FakeVisitor(seconds=5)
    _, told, leave = await begin(visitor, Load(rate=10))

    await trio.sleep(0.95)
    began = trio.current_time()
    await leave()

    assert trio.current_time() - began == pytest.approx(5 - 0.05)
    assert total(second.tally for second in told).answered == 10
    assert told[-1].waiting == 0


async def test_a_new_rate_holds_from_then_on(autojump_clock, begin):
    visitor = FakeVisitor()
    crowd, _, leave = await begin(visitor, Load(rate=0.1))
    await trio.sleep(1)
    crowd.come(Load(rate=10))
    await trio.sleep(1.05)
    crowd.come(Load())
    asked = len(visitor.asked)
    await trio.sleep(100)
    crowd.come(Load(rate=1))
    await trio.sleep(0.5)
    await leave()

    assert asked == 12
    assert len(visitor.asked) == 13


async def test_a_rate_that_is_told_often_is_kept_all_the_same(autojump_clock, begin):
    visitor = FakeVisitor()
    crowd, _, leave = await begin(visitor, Load(rate=1))

    for _ in range(100):
        crowd.come(Load(rate=1))
        await trio.sleep(0.1)
    await leave()

    assert len(visitor.asked) == 10


async def test_visitors_ask_one_thing_after_another(autojump_clock, begin):
    visitor = FakeVisitor(seconds=0.28)
    crowd, told, leave = await begin(visitor, Load(visitors=3))
    await trio.sleep(2.3)
    crowd.come(Load(visitors=1))
    await trio.sleep(2)
    await leave()

    assert [second.tally.answered for second in told] == [9, 12, 7, 4, 2]
    assert [second.waiting for second in told] == [3, 3, 1, 1, 0]


async def test_visitors_may_come_again(autojump_clock, begin):
    visitor = FakeVisitor(seconds=0.5)
    crowd, _, leave = await begin(visitor, Load(visitors=2))
    await trio.sleep(0.75)
    crowd.come(Load())
    crowd.come(Load(visitors=2))
    await trio.sleep(10)
    crowd.come(Load(visitors=1))
    await trio.sleep(0.5)
    crowd.come(Load(visitors=2))
    await trio.sleep(0.5)
    await leave()

    asked = [at for at, _ in visitor.asked]
    assert max(asked.count(at) for at in asked) == 2


async def test_both_may_come_at_once(autojump_clock, begin):
    visitor = FakeVisitor(seconds=1.0)
    _, _, leave = await begin(visitor, Load(rate=2, visitors=1))

    await trio.sleep(9.75)
    await leave()

    assert len(visitor.asked) == 20 + 10


async def test_who_was_not_answered_asks_again_after_a_pause(autojump_clock, begin):
    visitor = FakeVisitor(outcome=Outcome.REFUSED)
    _, told, leave = await begin(visitor, Load(visitors=1))

    await trio.sleep(0.95)
    await leave()

    assert len(visitor.asked) == 10
    assert visitor.asked[1][0] - visitor.asked[0][0] == pytest.approx(
        AFTER_FAILURE_SECONDS
    )
    assert told[-1].tally.failures == {Outcome.REFUSED: 10}


async def test_patience_ends(autojump_clock, begin):
    visitor = FakeVisitor(seconds=1000)
    _, told, leave = await begin(visitor, Load(visitors=1), patience=3.0)

    await trio.sleep(4)
    await leave()

    tally = total(second.tally for second in told)
    assert tally.failures == {Outcome.TIMEOUT: 2}
    assert tally.percentile(50) is None


async def test_who_comes_when_too_many_wait_is_counted_and_not_sent(
    autojump_clock, begin
):
    visitor = FakeVisitor(seconds=100)
    _, told, leave = await begin(visitor, Load(rate=10), most_waiting=4, patience=200.0)

    await trio.sleep(0.95)
    await leave()

    assert len(visitor.asked) == 4
    assert total(second.tally for second in told).outcomes == {
        Outcome.NOT_SENT: 6,
        Outcome.ANSWERED: 4,
    }


@pytest.mark.parametrize(
    ("share", "kept"), [(0.0, 0), (0.25, 25), (0.5, 50), (1.0, 100)], ids=str
)
async def test_connections_are_kept_by_their_share_evenly(
    autojump_clock, begin, share, kept
):
    visitor = FakeVisitor()
    _, _, leave = await begin(visitor, Load(rate=100), keep_alive=share)

    await trio.sleep(0.995)
    await leave()

    keeps = [keeps_alive for _, keeps_alive in visitor.asked]
    assert len(keeps) == 100
    assert sum(keeps) == kept
    assert sum(keeps[:20]) == kept // 5


@pytest.mark.parametrize(
    "make",
    [
        lambda: Habits(keep_alive=1.1),
        lambda: Habits(patience=0),
        lambda: Habits(most_waiting=0),
        lambda: Load(rate=-1),
        lambda: Load(visitors=-1),
    ],
    ids=["keep_alive", "patience", "most_waiting", "rate", "visitors"],
)
def test_what_makes_no_sense_cannot_be_asked_for(make):
    with pytest.raises(ValueError, match="must be"):
        make()
