"""A group that sleeps wakes with the first who asks, through HAProxy."""

import signal
import statistics

import pytest
import trio
from attrs import define, field

from albatross_client.sandbox.process import Serving
from albatross_client.sandbox.sites import site_of
from albatross_client.sandbox.visitors.tally import Outcome
from albatross_client.sandbox.visitors.visit import Visitor
from tests.haproxy_fixture import needs_haproxy
from tests.traffic.town import Town

pytestmark = needs_haproxy

WAKES = 50
ASLEEP = {
    "groups": {"min_members": 0, "max_members": 6, "poll_interval": "0.2s"},
    "groups.idle": {"idle_to_min": "0s", "idle_to_zero": "0.3s", "min_age": "0s"},
}


async def boots(town, seconds):
    """Note how long each member takes from its start until it listens."""
    known = set()
    while True:
        for name, unikernel in town.sandbox.host.state.unikernels.items():
            if name not in known:
                known.add(name)
                site = site_of(unikernel.config.argv or ())
                assert site is not None
                began = trio.current_time()
                await until_it_listens(site.address, site.port)
                seconds.append(trio.current_time() - began)
        await trio.sleep(0.002)


async def until_it_listens(address, port):
    while True:
        try:
            stream = await trio.open_tcp_stream(address, port)
        except OSError:
            await trio.sleep(0.003)
        else:
            await stream.aclose()
            return


async def ask(town):
    """Ask once, on a connection of its own; return what came, and how soon."""
    began = trio.current_time()
    answer = await Visitor(town.target).visit(keeps_alive=False)
    return answer.outcome, trio.current_time() - began


@define
class Askers:
    """Clients that ask at the same time, each once.

    Attributes:
        town: Where.
        count: How many.
        answers: What they got.
    """

    town: Town
    count: int
    answers: list[tuple[Outcome, float]] = field(factory=list)

    def start(self, nursery):
        for _ in range(self.count):
            nursery.start_soon(self._ask)
        return self

    async def _ask(self):
        self.answers.append(await ask(self.town))

    async def seconds(self):
        """Return how long each of them took, once all of them are answered."""
        await self.town.until(lambda: len(self.answers) == self.count)
        assert {outcome for outcome, _ in self.answers} == {Outcome.ANSWERED}
        return [seconds for _, seconds in self.answers]


async def asleep(found, more=""):
    """Return a town whose group sleeps, and needs no second member."""
    town = await found()
    town.haproxy.set_up(more)
    await town.haproxy.reload()
    town.configure(ASLEEP | {"groups.requests": {"target_in_flight": 1000}})
    await town.start_daemon()
    await town.until_asleep()
    return town


def spread(seconds):
    ordered = sorted(seconds)
    p95 = ordered[round(0.95 * (len(ordered) - 1))]
    return f"p50 {statistics.median(ordered):.3f} s, p95 {p95:.3f} s"


@pytest.mark.slow
async def test_fifty_wakes_are_answered(found, nursery, figure):
    town = await found(serving=Serving(request_seconds=0.002, boot_seconds=0.2))
    town.configure(ASLEEP)
    await town.start_daemon()
    await town.until_asleep()
    booted: list[float] = []
    took: list[float] = []
    nursery.start_soon(boots, town, booted)

    for number in range(1, WAKES + 1):
        outcome, seconds = await ask(town)
        took.append(seconds)
        assert outcome is Outcome.ANSWERED
        assert town.started == number
        await town.until_asleep()

    ours = [whole - boot for whole, boot in zip(took, booted, strict=True)]
    figure(f"{WAKES} wakes: {spread(took)}; without the boot: {spread(ours)}")


async def test_a_hundred_first_requests_make_one_member_and_get_a_hundred_answers(
    found, nursery, figure
):
    town = await asleep(found)

    took = await Askers(town, 100).start(nursery).seconds()

    figure(f"100 first requests at once: {spread(took)}")
    assert town.started == 1


@pytest.mark.slow
async def test_the_first_one_hangs_up_and_the_other_ninety_nine_are_answered(
    found, nursery
):
    town = await asleep(found)
    first = await trio.open_tcp_stream(town.target.host, town.target.port)
    await first.send_all(b"GET / HTTP/1.1\r\nHost: town\r\n\r\n")
    await town.until(lambda: town.said("wake_asked"))

    await first.aclose()
    await Askers(town, 99).start(nursery).seconds()

    assert town.started == 1


@pytest.mark.slow
async def test_requests_outlast_a_restart_of_the_daemon_while_nobody_serves(
    found, nursery, figure
):
    """HAProxy tries again what nobody has taken, once a second."""
    town = await asleep(found)

    await town.end_daemon(signal.SIGKILL)
    askers = Askers(town, 10).start(nursery)
    await town.start_daemon()

    took = await askers.seconds()
    figure(f"10 first requests while the daemon restarts: {spread(took)}")
    assert town.started == 1


@pytest.mark.slow
async def test_health_checks_in_http_wake_nobody(found):
    """Each check of a sleeping group was a request, and woke a member."""
    checks = "    option httpchk GET /healthz\n    http-check send-state\n"
    town = await asleep(found, checks)

    await trio.sleep(3)
    started = town.started
    outcome, _ = await ask(town)

    assert started == 0
    assert outcome is Outcome.ANSWERED
