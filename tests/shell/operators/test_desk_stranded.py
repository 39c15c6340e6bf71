"""Stranded clones are listed and destroyed."""

import pytest

from albatross_client.sandbox.faults import Refused, Rule, Silenced
from tests.shell.harness import GROUP, HOST, wait_until
from tests.shell.operators.office import API, SMALL, Office, open_office
from tests.shell.reloading import (
    deployment,
    group,
    host,
)


async def strand(nursery, wish=None) -> Office:
    """Return an office with one stranded clone."""
    text = deployment() + host() + group(more="min_clones = 1")
    office = await open_office(nursery, text + group("user:api"), wish)
    await wait_until(lambda: len(office.made.groups[GROUP].clones) == 1, 100)
    await office.made.reload(deployment() + host() + group("user:api"))
    return office


async def test_stranded_clones_are_listed_and_destroyed_one_by_one(
    autojump_clock, nursery
):
    office = await strand(nursery)
    listed = await office.ask("stranded")
    [row] = listed.rows

    reply = await office.ask("destroy_stranded", **row)

    assert row == {"host": HOST, "name": str(GROUP.clone(1))}
    assert reply.said == (f"{HOST}/{GROUP.clone(1)} is destroyed",)
    assert office.world.clones == []
    assert (await office.ask("stranded")).rows == ()
    kept = {each.id: each for each in (await office.world.store.load()).snapshots}
    assert kept[GROUP].next_number == 2


@pytest.mark.parametrize(
    "name", [GROUP.name, GROUP.clone(7), API], ids=["primary", "foreign", "other"]
)
async def test_what_is_not_stranded_is_left_alone(autojump_clock, nursery, name):
    office = await strand(nursery)
    office.world.live.create(GROUP.clone(7), SMALL)

    reply = await office.ask("destroy_stranded", host=HOST, name=str(name))

    assert not reply.is_done
    assert "is not stranded: it is left alone" in reply.said[0]
    assert len(office.world.clones) == 2


async def test_a_clone_of_a_group_that_is_configured_is_not_stranded(
    autojump_clock, nursery
):
    text = deployment() + host() + group(more="min_clones = 1")
    office = await open_office(nursery, text)
    await wait_until(lambda: len(office.world.members) == 1, 100)

    listed = await office.ask("stranded")
    reply = await office.ask("destroy_stranded", host=HOST, name=str(GROUP.clone(1)))

    assert listed.rows == ()
    assert not reply.is_done
    assert office.world.clones == [str(GROUP.clone(1))]


async def test_a_stranded_clone_that_is_gone_is_forgotten(autojump_clock, nursery):
    office = await strand(nursery)
    office.world.live.strike(Silenced(GROUP.clone(1)))
    await office.made.desktop.open(office.made.desktop.read().hosts[0]).destroy(
        GROUP.clone(1)
    )

    reply = await office.ask("destroy_stranded", host=HOST, name=str(GROUP.clone(1)))

    assert reply.said == (f"{HOST}/{GROUP.clone(1)} was gone already",)
    assert (await office.ask("stranded")).rows == ()


async def test_a_host_that_refuses_leaves_the_clone_stranded(autojump_clock, nursery):
    office = await strand(nursery)
    office.world.live.inject(Rule(fault=Refused("not today"), verb="destroy"))

    reply = await office.ask("destroy_stranded", host=HOST, name=str(GROUP.clone(1)))

    assert not reply.is_done
    assert "not today" in reply.said[0]
    assert len((await office.ask("stranded")).rows) == 1


async def test_without_its_hosts_keys_a_clone_stays_stranded(autojump_clock, nursery):
    office = await strand(nursery)
    await office.made.reload(deployment())

    reply = await office.ask("destroy_stranded", host=HOST, name=str(GROUP.clone(1)))

    assert "is no longer configured" in reply.said[0]
    assert office.world.clones == [str(GROUP.clone(1))]
