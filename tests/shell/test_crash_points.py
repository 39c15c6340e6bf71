"""A daemon killed at every point of an action, and the next one after it."""

import multiprocessing
import sqlite3
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest
import trio
from attrs import evolve, field, frozen

from albatross_client.names import Name
from albatross_client.sandbox.demand import Demand
from albatross_client.sandbox.embed import SANDBOX_IMAGE, Sandbox
from albatross_client.sandbox.live import Settings
from albatross_client.values import Config, ResourcePolicy
from autoscaler.core.group import GroupId, Member, new_group
from autoscaler.core.policy import Policy
from autoscaler.core.snapshot import take
from autoscaler.shell.clock import read_clocks
from autoscaler.shell.state.reader import read_state
from autoscaler.shell.state.rows import STATE
from autoscaler.shell.state.store import Store
from tests.sandbox_fixtures import start_tls_sandbox
from tests.shell.crashing import HOST, INTERVAL_S, Job, live

# Most of their time daemons wait for frames.
AT_ONCE = 10
KILLED = -9
OLD, NEW = SANDBOX_IMAGE, SANDBOX_IMAGE + b" of another version"
ROOMY = ResourcePolicy(
    cpuids=frozenset(range(64)),
    unikernels=10_000,
    memory=1_000_000,
    bridges=frozenset({"service"}),
)
QUICK = Policy(
    max_clones=2,
    poll_interval=INTERVAL_S,
    scale_up_trigger_ticks=1,
    scale_down_trigger_ticks=1,
    cooldown_up=900,
    cooldown_down=900,
    warmup=0.1,
    min_stable=0.5,
    boot_timeout=20,
)
# Of what goes on beside the action there is now and then one less.
BESIDE = ("save", "info", "policies")


@frozen(kw_only=True)
class Scenario:
    """One action that a group is in need of.

    Attributes:
        policy: Cooldowns let nothing but this action happen.
        demand: Of the group, in cores.
        image: Of the primary.
        clones: Images of the clones that run and are ours, by number.
        wanted: How many clones run in the end, all of the primary's image.
        destroyed: How many of the first clones are gone in the end.
    """

    policy: Policy
    demand: float
    image: bytes = OLD
    clones: Mapping[int, bytes] = field(factory=dict)
    wanted: int
    destroyed: int = 0


SCENARIOS = {
    "up": Scenario(policy=QUICK, demand=8, wanted=1),
    "down": Scenario(
        policy=QUICK, demand=0.01, clones={1: OLD, 2: OLD}, wanted=1, destroyed=1
    ),
    "image": Scenario(
        policy=evolve(QUICK, min_clones=1, cooldown_down=0),
        demand=0.01,
        image=NEW,
        clones={1: OLD},
        wanted=1,
        destroyed=1,
    ),
}


@frozen
class Case:
    """A domain of the sandbox, and a state, for one scenario."""

    scenario: Scenario
    sandbox: Sandbox
    job: Job

    @property
    def running(self) -> Mapping[Name, bytes]:
        """The digests of all clones that run, foreign ones included."""
        primary = self.job.group.name
        return {
            name: unikernel.digest
            for name, unikernel in self.sandbox.host.state.unikernels.items()
            if name.path == primary.path and name != primary
        }

    def commands(self, verb: str) -> list[str]:
        file = self.job.directory / "commands"
        lines = file.read_text().splitlines() if file.exists() else []
        return [line.split()[1] for line in lines if line.startswith(f"{verb} ")]


async def prepare(
    sandbox: Sandbox, scenario: Scenario, place: str, directory: Path
) -> Case:
    """Return a group that is in need of the scenario's action."""
    group_id = GroupId(HOST, Name((place,), "web"))
    host = sandbox.host
    host.set_policy(group_id.domain, ROOMY)
    host.create(group_id.name, Config(image=scenario.image, memory=32))
    host.set_demand(group_id.name, Demand.constant(scenario.demand))
    for number, image in scenario.clones.items():
        cpuids = frozenset({number})
        config = Config(image=image, memory=32, cpuids=cpuids)
        host.create(group_id.clone(number), config)
    members = tuple(
        Member(name=group_id.clone(number), number=number) for number in scenario.clones
    )
    group = evolve(new_group(group_id, scenario.policy), clones=members)
    ledger = evolve(group.ledger, next_number=len(members) + 1)
    async with await Store.open(directory / "state") as store:
        await store.save([take(evolve(group, ledger=ledger), read_clocks())])
    job = Job(
        directory=directory,
        port=sandbox.port,
        keys=sandbox.directory,
        group=group_id,
        policy=scenario.policy,
        clones=scenario.wanted,
    )
    return Case(scenario, sandbox, job)


async def run(job: Job) -> int:
    """Return the exit code of a daemon that lives as *job* says."""
    context = multiprocessing.get_context("forkserver")
    # Imports take longer than everything else: they are made once.
    context.set_forkserver_preload([live.__module__])
    process = context.Process(target=live, args=(job,))
    process.start()
    try:
        await trio.lowlevel.wait_readable(process.sentinel)
        process.join()
        assert process.exitcode is not None
        return process.exitcode
    finally:
        process.kill()
        process.join()
        process.close()


def check(case: Case) -> None:
    """Hold what is left to the promises."""
    scenario, group_id = case.scenario, case.job.group
    running, created = case.running, Counter(case.commands("create"))
    [kept] = read_state(case.job.directory / "state").snapshots.values()
    first = {str(group_id.clone(number)) for number in scenario.clones}
    primary = case.sandbox.host.state.unikernels[group_id.name]

    assert len(running) == scenario.wanted
    assert set(running.values()) <= {primary.digest}
    assert {clone.name for clone in kept.clones} == set(running)
    assert kept.foreign == ()
    assert not kept.actions
    assert set(created.values()) <= {1}
    assert not first & set(created)
    numbers = {clone.number for clone in kept.clones}
    assert max(numbers) < kept.next_number
    assert len(first - {str(name) for name in running}) == scenario.destroyed
    assert set(case.commands("destroy")) <= first | set(created)
    check_journal(case.job.directory / "state" / STATE)


def check_journal(path: Path) -> None:
    """Hold the journal to its promise: every action and clone is closed."""
    connection = sqlite3.connect(path)
    try:
        open_actions = connection.execute(
            "SELECT id, action FROM actions WHERE ended IS NULL"
        ).fetchall()
        open_steps = connection.execute(
            "SELECT name FROM steps GROUP BY action, name "
            "HAVING NOT max(step IN ('done', 'failed', 'rolled_back'))"
        ).fetchall()
    finally:
        connection.close()
    assert open_actions == []
    assert open_steps == []


async def kill_at(case: Case, point: str) -> int:
    """Kill a daemon at *point*, let the next one settle; return its fate."""
    code = await run(evolve(case.job, kill_at=point))
    assert code in {KILLED, 0}
    assert await run(case.job) == 0
    check(case)
    return code


@pytest.mark.slow
@pytest.mark.parametrize("name", SCENARIOS)
async def test_a_kill_at_any_point_leaves_exactly_what_is_wanted(
    nursery, tmp_path, capsys, name
):
    scenario = SCENARIOS[name]
    settings = Settings(interval=INTERVAL_S, root_policy=ROOMY)
    sandbox = await start_tls_sandbox(nursery, tmp_path / "keys", settings)
    whole = await prepare(sandbox, scenario, "whole", tmp_path / "whole")
    assert await run(whole.job) == 0
    check(whole)
    points = (whole.job.directory / "points").read_text().splitlines()
    limiter, fates = trio.CapacityLimiter(AT_ONCE), {}

    async def try_one(number: int, point: str) -> None:
        async with limiter:
            place = f"p{number:03}"
            case = await prepare(sandbox, scenario, place, tmp_path / place)
            fates[point] = await kill_at(case, point)

    for number, point in enumerate(points):
        nursery.start_soon(try_one, number, point)
    while len(fates) < len(points):
        await trio.sleep(0.1)

    survived = [point for point, code in fates.items() if code != KILLED]
    with capsys.disabled():
        killed = len(points) - len(survived)
        sys.stdout.write(f"\n{name}: {len(points)} points, {killed} kills\n")
    assert [p for p in survived if p.split()[1] not in BESIDE] == []
