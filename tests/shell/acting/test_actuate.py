"""One action on one host, with everything that may go wrong in it."""

import pytest
import trio
from attrs import evolve

from albatross_client.errors import CertificateError, RemoteProtocolError
from albatross_client.names import Name
from albatross_client.sandbox.embed import SANDBOX_IMAGE
from albatross_client.sandbox.faults import Killed, ReplyLost, Rule
from albatross_client.sandbox.live import LiveHost
from albatross_client.values import Config
from autoscaler.core.policy import Policy
from tests.fakes import WrappedHost
from tests.shell.harness import GROUP, WEB, Machine, Wish, make_world, wait_until

ONE_CLONE = Policy(max_clones=1, min_clones=1)
CLONE = GROUP.clone(1)
OTHER_IMAGE = SANDBOX_IMAGE + b" of somebody else"


class FailingHost(WrappedHost):
    """Does what it is told, or not, and answers by *error*."""

    error: Exception
    does_it = False

    async def create(self, name, config, image, before):
        if self.does_it:
            await self.client.create(name, config, image, before)
        raise self.error

    async def destroy(self, name):
        if self.does_it:
            await self.client.destroy(name)
        raise self.error


def failing(error, *, does_it):
    def wrap(client):
        host = FailingHost(client)
        host.error, host.does_it = error, does_it
        return host

    return Machine(through=wrap)


LOST = Rule(fault=ReplyLost(), verb="create")
GARBLED = RemoteProtocolError("rubbish")
EXPIRED = CertificateError("expired")


async def test_a_create_answered_by_rubbish_is_looked_after(autojump_clock, nursery):
    machine = failing(GARBLED, does_it=True)
    world = await make_world(nursery, Wish(policy=ONE_CLONE, machine=machine))

    await wait_until(lambda: world.members == ["user:web-clone-1"], 60)

    assert [f["outcome"] for f in world.events("action_finished")] == ["done"]


async def test_a_create_that_left_nothing_is_doubtful(autojump_clock, nursery):
    machine = failing(GARBLED, does_it=False)
    world = await make_world(nursery, Wish(policy=ONE_CLONE, machine=machine))

    await wait_until(lambda: world.events("action_finished") != [], 60)

    assert world.events("action_finished")[0]["error"] == "rubbish"
    assert [doubt.number for doubt in world.group.ledger.doubts] == [1]


async def test_a_create_that_was_never_sent_is_not_doubtful(autojump_clock, nursery):
    machine = failing(EXPIRED, does_it=False)
    world = await make_world(nursery, Wish(policy=ONE_CLONE, machine=machine))

    await wait_until(lambda: world.events("action_finished") != [], 60)

    assert world.events("action_finished")[0]["error"] == "expired"
    assert world.group.ledger.doubts == ()


async def test_a_doubtful_clone_that_turns_up_is_ours(autojump_clock, nursery):
    machine = failing(GARBLED, does_it=False)
    wish = Wish(policy=ONE_CLONE, machine=machine)
    world = await make_world(nursery, wish)
    await wait_until(lambda: world.group.ledger.doubts != (), 60)

    world.live.create(CLONE, wish.config)
    await trio.sleep(70)

    assert [note.kind.value for note in world.notebook.notes] == ["clone_turned_up"]
    assert "user:web-clone-1" in world.members


@pytest.mark.parametrize(
    ("error", "does_it", "outcome"),
    [
        pytest.param(GARBLED, True, "done", id="rubbish-and-gone"),
        pytest.param(GARBLED, False, "failed", id="rubbish-and-there"),
        pytest.param(EXPIRED, False, "failed", id="never-sent"),
    ],
)
async def test_what_is_listed_tells_whether_a_destroy_worked(
    autojump_clock, nursery, error, does_it, outcome
):
    machine = failing(error, does_it=does_it)
    wish = Wish(policy=Policy(max_clones=0), machine=machine)
    world = await make_world(nursery, wish)
    world.live.create(CLONE, wish.config)

    await wait_until(lambda: world.events("action_finished") != [], 120)

    finished = world.events("action_finished")[0]
    assert finished["outcome"] == outcome
    assert (world.clones == []) == (outcome == "done")
    assert (world.members == []) == (outcome == "done")


@pytest.mark.parametrize("rules", [(), (LOST,)], ids=["told", "lost"])
async def test_a_name_that_somebody_takes_before_us_is_not_ours(
    autojump_clock, nursery, rules
):
    """With its answer lost it was ours, and destroyed for its image."""
    wish = Wish(policy=ONE_CLONE, rules=rules)
    world = await make_world(nursery, wish)
    await world.notebook.acted.wait()

    world.live.create(CLONE, evolve(wish.config, image=OTHER_IMAGE))
    await wait_until(lambda: world.members == ["user:web-clone-2"], 200)
    await trio.sleep(300)

    assert world.clones == ["user:web-clone-1", "user:web-clone-2"]
    assert world.group.foreign == {CLONE}
    assert world.events("action_finished")[0]["error"] == (
        "somebody else has made a user:web-clone-1"
    )


class PreemptedHost(WrappedHost):
    """Has just made what it is asked for, for somebody else."""

    live: LiveHost

    async def create(self, name, config, image, before):
        await before()
        if name == CLONE:
            self.live.create(name, Config(image=OTHER_IMAGE, memory=32))
            raise GARBLED
        await self.client.create(name, config, image, before)


async def test_a_name_that_is_taken_while_ours_is_lost_is_not_ours(
    autojump_clock, nursery
):
    hosts = []

    def wrap(client):
        hosts.append(PreemptedHost(client))
        return hosts[-1]

    wish = Wish(policy=ONE_CLONE, machine=Machine(through=wrap))
    world = await make_world(nursery, wish)
    hosts[0].live = world.live

    await wait_until(lambda: world.members == ["user:web-clone-2"], 200)
    await trio.sleep(300)

    assert world.clones == ["user:web-clone-1", "user:web-clone-2"]
    assert world.group.foreign == {CLONE}


async def test_a_primary_that_is_gone_when_its_clone_is_made_makes_none(
    autojump_clock, nursery
):
    world = await make_world(nursery, Wish(policy=ONE_CLONE))
    await world.notebook.acted.wait()
    world.live.strike(Killed(WEB))

    await wait_until(lambda: world.events("action_finished") != [], 60)

    finished = world.events("action_finished")[0]
    assert finished["error"] == (
        "no longer possible: the info of the primary is not known"
    )
    assert world.clones == []


async def test_a_host_that_goes_silent_after_a_create_is_asked_until_it_answers(
    autojump_clock, nursery
):
    lost = Rule(fault=ReplyLost(), verb="create")
    deaf = Rule(fault=ReplyLost(), verb="info", times=8)
    wish = Wish(policy=ONE_CLONE, rules=(lost,))
    world = await make_world(nursery, wish)
    await wait_until(lambda: world.size == 2, 60)
    world.live.inject(deaf)

    await wait_until(lambda: world.members != [], 600)

    assert world.members == world.clones == ["user:web-clone-1"]
    assert len(world.events("action_started")) == 1


class ExpectingHost(WrappedHost):
    """Notes what it is told to expect, and what comes."""

    expected: list[tuple[Name, Config]]
    came: list[tuple[Name, Config]]

    def prepare(self, name, config):
        self.expected.append((name, config))

    async def create(self, name, config, image, before):
        self.came.append((name, config))
        await self.client.create(name, config, image, before)


async def test_a_host_is_told_to_expect_what_is_created_then(autojump_clock, nursery):
    hosts = []

    def expecting(client):
        host = ExpectingHost(client)
        host.expected, host.came = [], []
        hosts.append(host)
        return host

    machine = Machine(through=expecting)
    world = await make_world(nursery, Wish(policy=ONE_CLONE, machine=machine))

    await wait_until(lambda: world.size == 2, 60)

    (host,) = hosts
    assert [name for name, _ in host.came] == [CLONE]
    assert host.expected == host.came
