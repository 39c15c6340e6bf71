"""What operators ask for is done, answered, and kept with who asked."""

import json
from itertools import pairwise

import pytest
import trio
from attrs import frozen

from albatross_client.names import Name
from albatross_client.sandbox.demand import Demand
from albatross_client.sandbox.embed import SANDBOX_IMAGE
from albatross_client.sandbox.faults import Refused, Rule, Silenced
from albatross_client.values import Config
from autoscaler.core.events import OwnershipLost
from autoscaler.core.group import GroupId
from autoscaler.core.policy import Mode, Policy
from autoscaler.core.record import MOST_KEPT, Record
from autoscaler.shell.log import Log
from autoscaler.shell.operators.control import Peer
from autoscaler.shell.operators.desk import Desk, Ledgers
from autoscaler.shell.operators.notify import Notifier
from autoscaler.shell.operators.requests import VERBS, Reply, Request
from autoscaler.shell.state.records import from_json
from tests.shell.harness import GROUP, HOST, Wish, start_daemon, wait_until
from tests.shell.reloading import (
    PLAIN,
    Reloadable,
    deployment,
    group,
    host,
    make_reloadable,
)

ANN = Peer(1000, "ann", 4711)
API = Name(("user",), "api")
API_GROUP = GroupId(HOST, API)
CLONE_7 = GROUP.clone(7)
BUSY = Wish(demand=Demand.constant(3))
SMALL = Config(image=SANDBOX_IMAGE, memory=32)


@frozen
class Office:
    """A desk, and the daemon that it speaks for."""

    made: Reloadable
    desk: Desk

    @property
    def world(self):
        return self.made.world

    async def ask(self, verb: str, **words: str) -> Reply:
        return await self.desk.obey(Request(verb, words), ANN)


async def open_office(nursery, text=PLAIN, wish=None, others=None) -> Office:
    made = await make_reloadable(nursery, text, wish, others)
    log = Log(
        lambda _level, event, fields: made.world.log.append((event, dict(fields)))
    )
    ledgers = Ledgers(made.world.store, log, Notifier())
    return Office(made, Desk(made.world.daemon, made.reloader, ledgers))


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
    assert resumed.said == (f"{GROUP} does what the file allows: active",)


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

    assert reply.said == (f"{GROUP} does what the file allows: observe",)
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


# Sizes by hand


async def test_a_group_becomes_as_large_as_is_asked_and_then_cools_down(
    autojump_clock, nursery
):
    office = await open_office(nursery)
    await trio.sleep(100)

    grown = await office.ask("scale", group="user:web", clones="2")
    await wait_until(lambda: office.world.size == 3, 60)
    while_it_cools = await wait_until(lambda: office.world.size == 2, 900)

    assert grown.said == (f"{GROUP}: ann asks for 2 clones: create 2 clones",)
    assert while_it_cools > 300
    actions = office.world.store._connection.execute(  # noqa: SLF001 - as a reader would
        "SELECT json_extract(action, '$.by'), json_extract(action, '$.reason') "
        "FROM actions ORDER BY number"
    ).fetchall()
    assert actions[:2] == [("ann", "operator"), (None, "low")]
    [request] = office.world.events("operator_asked")
    assert (request["verb"], request["user"]) == ("scale", "ann")


async def test_a_group_becomes_as_small_as_is_asked(autojump_clock, nursery):
    office = await open_office(nursery)
    await trio.sleep(100)
    await office.ask("scale", group="user:web", clones="3")
    await wait_until(lambda: office.world.group.ledger.actions == (), 120)

    shrunk = await office.ask("scale", group="user:web", clones="0")
    await wait_until(lambda: office.world.size == 1, 60)
    again = await office.ask("scale", group="user:web", clones="0")

    assert shrunk.is_done
    assert again == Reply((f"{GROUP} has 0 clones already",))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param({"clones": "4"}, "4 clones can't be: the conf", id="many"),
        pytest.param({"clones": "-1"}, "must be a whole number", id="negative"),
        pytest.param({"clones": "½"}, "must be a whole number", id="half"),
        pytest.param({"clones": "9" * 99}, "must be a whole number", id="endless"),
        pytest.param({"clones": "1", "group": "user:wbe"}, "did you mean", id="whose"),
    ],
)
async def test_a_size_that_can_not_be_is_refused(autojump_clock, nursery, words, said):
    office = await open_office(nursery)
    await trio.sleep(100)

    reply = await office.ask("scale", **{"group": "user:web", **words})

    assert not reply.is_done
    assert said in reply.said[0]


async def test_a_size_is_refused_while_something_holds_the_group(
    autojump_clock, nursery
):
    office = await open_office(nursery)
    await trio.sleep(100)
    await office.ask("scale", group="user:web", clones="1")

    busy = await office.ask("scale", group="user:web", clones="2")
    await office.ask("observe", group="user:web")
    observed = await office.ask("scale", group="user:web", clones="2")

    assert busy == Reply((f"{GROUP}: an action is in flight",), is_done=False)
    said = f"{GROUP} is only observed: resume it first"
    assert observed == Reply((said,), is_done=False)


async def test_a_size_that_is_one_action_too_many_stands_the_group_down(
    autojump_clock, nursery
):
    office = await open_office(nursery, PLAIN + "max_actions_per_hour = 1\n")
    await trio.sleep(100)
    await office.ask("scale", group="user:web", clones="1")
    await wait_until(lambda: office.world.group.ledger.actions == (), 60)

    reply = await office.ask("scale", group="user:web", clones="2")

    assert not reply.is_done
    assert "did or failed too much" in reply.said[0]


# Why it does what it does


async def test_a_decision_is_explained_and_that_is_no_part_of_the_history(
    autojump_clock, nursery
):
    office = await open_office(nursery, wish=BUSY)
    await wait_until(lambda: office.world.size > 1, 300)

    reply = await office.ask("explain", group="user:web")

    told = from_json(reply.rows[0]["record"], Record)
    assert reply.said == (str(GROUP),)
    assert told.decision == office.world.decision
    assert told == office.world.daemon.fleet.newest(GROUP)
    assert office.world.events("operator_asked") == []
    rows = office.world.store._connection.execute("SELECT verb FROM requests")  # noqa: SLF001 - as a reader would
    assert rows.fetchall() == []


async def test_an_earlier_decision_is_explained_as_far_as_it_is_remembered(
    autojump_clock, nursery
):
    office = await open_office(nursery, wish=BUSY)
    await wait_until(lambda: office.world.size > 1, 300)
    kept = office.world.daemon.fleet.records[GROUP]

    earlier = await office.ask("explain", group="user:web", at=repr(kept[1].at))
    too_early = await office.ask("explain", group="user:web", at="0")

    assert from_json(earlier.rows[0]["record"], Record) == kept[1]
    assert (too_early.is_done, too_early.rows) == (True, ())


async def test_of_an_unknown_group_nothing_is_explained(autojump_clock, nursery):
    office = await open_office(nursery)

    assert not (await office.ask("explain", group="user:wbe")).is_done


async def test_records_are_in_the_state_at_every_change_and_every_minute(
    autojump_clock, nursery
):
    office = await open_office(nursery)
    await trio.sleep(15 * 60)

    rows = office.world.store._connection.execute(  # noqa: SLF001 - as a reader would
        "SELECT at, is_change FROM records ORDER BY number"
    ).fetchall()
    changes = office.world.store._connection.execute(  # noqa: SLF001 - likewise
        "SELECT count(*) FROM decisions"
    ).fetchone()

    assert sum(is_change for _, is_change in rows) == changes[0]
    times = sorted(at for at, _ in rows)
    gaps = [after - at for at, after in pairwise(times)]
    assert max(gaps) <= 61
    assert len(office.world.daemon.fleet.records[GROUP]) == MOST_KEPT
