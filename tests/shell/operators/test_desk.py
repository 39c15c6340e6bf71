"""What operators ask for is done, answered, and kept with who asked."""

import json

import pytest
import trio

from autoscaler.core.events import OwnershipLost
from autoscaler.core.policy import Mode, Policy
from autoscaler.shell.operators.requests import VERBS, Reply
from tests.shell.harness import GROUP, HOST, start_daemon, wait_until
from tests.shell.operators.office import API_GROUP, BUSY, SMALL, open_office
from tests.shell.reloading import (
    PLAIN,
    deployment,
    group,
    host,
)

CLONE_7 = GROUP.clone(7)


async def test_every_verb_has_somebody_who_obeys(autojump_clock, nursery):
    office = await open_office(nursery)

    assert set(office.desk.handlers) == set(VERBS)


async def test_a_request_is_logged_and_kept_with_who_asked(autojump_clock, nursery):
    office = await open_office(nursery)

    await office.ask("pause", group="user:web")
    await office.ask("pause", group="user:wbe")

    rows = office.world.store._connection.execute(  # noqa: SLF001 - as a reader would
        "SELECT uid, user, verb, words, is_done FROM requests"
    ).fetchall()
    assert rows == [
        (1000, "ann", "pause", json.dumps({"group": "user:web"}), 1),
        (1000, "ann", "pause", json.dumps({"group": "user:wbe"}), 0),
    ]
    assert [fields["user"] for fields in office.world.events("operator_asked")] == [
        "ann",
        "ann",
    ]


async def test_ping_tells_that_it_runs(autojump_clock, nursery):
    office = await open_office(nursery)

    reply = await office.ask("ping")

    assert reply.said[0].startswith("autoscaler 0.")


@pytest.mark.parametrize("verb", ["pause", "observe"])
@pytest.mark.parametrize("words", [{}, {"group": str(GROUP)}], ids=["all", "one"])
async def test_what_is_paused_or_observed_does_nothing_until_it_is_resumed(
    autojump_clock, nursery, verb, words
):
    office = await open_office(nursery, wish=BUSY)
    said = await office.ask(verb, **words)

    await trio.sleep(600)
    before = office.world.size
    resumed = await office.ask("resume", **words)
    await wait_until(lambda: office.world.size > 1, 300)

    assert said.is_done
    assert before == 1
    assert resumed.said == (f"{GROUP} does what the file and --mode allow: active",)


async def test_a_pause_holds_over_a_restart(autojump_clock, nursery):
    office = await open_office(nursery, wish=BUSY)
    await office.ask("pause")
    await trio.sleep(10)
    await office.world.kill()

    again = await start_daemon(
        nursery, office.world.live, office.world.store, Policy(max_clones=3)
    )
    await trio.sleep(600)

    assert again.size == 1
    assert again.notebook.reasons[-1] == "paused"


async def test_one_that_is_resumed_alone_stays_so_under_a_pause_for_all(
    autojump_clock, nursery
):
    office = await open_office(nursery, PLAIN + group("user:api"))
    await office.ask("pause")

    await office.ask("resume", group="user:api")
    await office.made.reload(PLAIN)
    await office.made.reload(PLAIN + group("user:api"))

    modes = {g: each.mode for g, each in office.made.groups.items()}
    assert modes == {GROUP: Mode.PAUSED, API_GROUP: Mode.ACTIVE}
    assert (await office.world.store.load()).word is Mode.PAUSED


async def test_resuming_all_takes_every_word_back(autojump_clock, nursery):
    office = await open_office(nursery, PLAIN + group("user:api"))
    await office.ask("pause")
    await office.ask("observe", group="user:api")

    await office.ask("resume")

    assert {each.mode for each in office.made.groups.values()} == {Mode.ACTIVE}
    assert (await office.world.store.load()).word is None


async def test_a_word_never_allows_more_than_the_file(autojump_clock, nursery):
    text = deployment('mode = "observe"') + host() + group()
    office = await open_office(nursery, text, BUSY)

    reply = await office.ask("resume")
    await trio.sleep(600)

    assert reply.said == (f"{GROUP} does what the file and --mode allow: observe",)
    assert office.world.size == 1


async def test_a_foreign_clone_is_ours_once_it_is_adopted(autojump_clock, nursery):
    never = deployment() + host() + group(more='adopt = "never"')
    office = await open_office(nursery, never)
    office.world.live.create(CLONE_7, SMALL)
    await trio.sleep(100)
    foreign = office.made.groups[GROUP].foreign

    reply = await office.ask("adopt", name=str(CLONE_7))
    await wait_until(lambda: office.world.members == [str(CLONE_7)], 10)
    twice = await office.ask("adopt", name=str(CLONE_7))

    assert foreign == {CLONE_7}
    assert reply.said == (f"{CLONE_7} is ours from now on, a clone of {GROUP}",)
    assert twice.said == (f"{CLONE_7} is ours already, a clone of {GROUP}",)


async def test_one_that_does_not_run_is_adopted_as_soon_as_it_does(
    autojump_clock, nursery
):
    never = deployment() + host() + group(more='adopt = "never"')
    office = await open_office(nursery, never)
    await trio.sleep(10)

    reply = await office.ask("adopt", name=str(CLONE_7))
    office.world.live.create(CLONE_7, SMALL)
    await wait_until(lambda: office.world.members == [str(CLONE_7)], 120)

    assert "is not listed" in reply.said[0]


async def test_a_disowned_clone_is_never_touched(autojump_clock, nursery):
    text = deployment() + host() + group(more="min_clones = 1")
    office = await open_office(nursery, text)
    await wait_until(lambda: len(office.world.members) == 1, 100)
    [clone] = office.world.members

    reply = await office.ask("disown", name=f"{HOST}/{clone}")
    await office.made.reload(deployment() + host() + group().replace("= 3", "= 0"))
    await trio.sleep(600)

    assert reply.is_done
    assert office.world.clones == [clone]
    assert office.world.members == []


async def test_after_a_lost_state_adopting_begins_again_when_all_is_confirmed(
    autojump_clock, nursery
):
    office = await open_office(nursery)
    office.world.daemon.fleet.tell(GROUP, OwnershipLost())
    office.world.live.create(CLONE_7, SMALL)
    await trio.sleep(200)
    before = office.world.members

    reply = await office.ask("adopt_all")
    await wait_until(lambda: office.world.members == [str(CLONE_7)], 10)

    assert before == []
    assert reply.said == (f"{GROUP} adopts again as its `adopt` says",)


async def test_a_reload_answers_with_what_differs_or_what_is_wrong(
    autojump_clock, nursery
):
    office = await open_office(nursery)

    nothing = await office.ask("reload")
    office.made.desktop.text = PLAIN + group("user:api")
    added = await office.ask("reload")
    office.made.desktop.text = PLAIN + group("user:api", "quorum = 7")
    refused = await office.ask("reload")

    assert nothing == Reply(("nothing has changed",))
    assert added == Reply((f"group {API_GROUP}: added",))
    assert not refused.is_done
    assert "quorum" in refused.said[0]
