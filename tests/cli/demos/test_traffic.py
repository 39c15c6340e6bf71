"""How the scenes with visitors follow each other, on a stage of values."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import trio
from attrs import define, evolve, field
from rich.console import ConsoleDimensions

from albatross_client.sandbox.visitors.crowd import Load
from albatross_client.sandbox.visitors.tally import Second
from autoscaler.cli.demos.scenes import SCENES, WANTED
from autoscaler.cli.demos.stage import story_log
from autoscaler.cli.demos.traffic import TOLD_EVERY_S, TrafficPlay
from autoscaler.cli.demos.traffic_view import TrafficView
from autoscaler.cli.demos.visits import VisitedStory, Wake
from autoscaler.core.backend import Health
from autoscaler.shell.log import Log
from tests.cli.demos.backends import backend_of, server_of
from tests.cli.demos.seconds import second_of
from tests.core.builders import creating, make_managed

SOON_S = 2.0
ACTIVATOR = evolve(server_of("activator"), is_backup=True)


@define
class Visitors:
    """Visitors whose loads are noted; each second has one answer.

    Attributes:
        comes: Told of each load.
        loads: All of them.
        seconds: What came of requests.
    """

    comes: Callable[[Load], None]
    loads: list[Load] = field(factory=list)
    seconds: list[Second] = field(factory=list)
    has_left: bool = False

    @property
    def latest(self) -> Second | None:
        return self.seconds[-1] if self.seconds else None

    async def come(self, load: Load) -> None:
        self.loads.append(load)
        self.comes(load)

    async def leave(self) -> None:
        self.has_left = True
        self.pass_second()

    def pass_second(self) -> None:
        self.seconds.append(second_of(0.05, number=len(self.seconds)))


class Stage:
    """A group that has the size of a scene a little after its load came."""

    def __init__(self) -> None:
        self.began = trio.current_time()
        self.size, self.coming, self.reached_at = 0, 0, 0.0
        self.visitors = Visitors(self.follow)
        group, _ = make_managed()
        self.fleet = SimpleNamespace(
            groups={group.id: group},
            backends={group.id: backend_of(ACTIVATOR)},
            holders={},
        )
        self.group_id = group.id
        self.lines: list[tuple[str, Any]] = []
        plain = Log(lambda _level, name, fields: self.lines.append((name, fields)))
        story, view = VisitedStory(WANTED), TrafficView("demo")
        sandbox: Any = SimpleNamespace(host=self)
        fleet: Any = self.fleet
        visitors: Any = self.visitors
        log = story_log(story, view.latest, plain)
        self.play = TrafficPlay(sandbox, fleet, visitors, story, view, log, plain)

    @property
    def second(self) -> float:
        return trio.current_time() - self.began

    @property
    def state(self) -> Any:
        if trio.current_time() >= self.reached_at:
            self.size = self.coming
        return SimpleNamespace(unikernels=range(self.size))

    def follow(self, load: Load) -> None:
        number = len(self.visitors.loads) - 1
        self.coming = SCENES[number].size
        self.reached_at = trio.current_time() + SOON_S

    async def look(self) -> None:
        while True:
            self.play.look()
            self.visitors.pass_second()
            await trio.sleep(1)


async def test_scenes_follow_each_other_as_soon_as_the_group_has(
    autojump_clock, nursery
):
    stage = Stage()
    nursery.start_soon(stage.look)

    await stage.play.direct()

    story = stage.play.story
    assert stage.play.is_over
    assert stage.visitors.has_left
    assert stage.visitors.loads == [scene.load for scene in SCENES]
    assert story.is_as_wanted
    assert len(story.course) == len(stage.visitors.seconds)
    assert story.wakes == [
        Wake("12 visitors at once", 0.05),
        Wake("1 visitor", 0.05),
    ]
    # In the first one the group sleeps already.
    shortest = sum(scene.then_s for scene in SCENES) + SOON_S * (len(SCENES) - 1)
    assert shortest <= trio.current_time() <= shortest + len(SCENES)


async def is_stuck(stage: Stage) -> bool:
    """Tell whether *stage* never comes to its second scene."""
    with trio.move_on_after(1000):
        await stage.play.direct()
    return len(stage.visitors.loads) == 1


async def test_nobody_comes_before_haproxy_has_seen_who_would_wake_the_group(
    autojump_clock,
):
    stage = Stage()
    unproven = evolve(ACTIVATOR, health=Health.FAILED)
    stage.fleet.backends[stage.group_id] = backend_of(unproven)

    assert await is_stuck(stage)


async def test_nobody_comes_while_haproxy_does_not_answer(autojump_clock):
    stage = Stage()
    del stage.fleet.backends[stage.group_id]

    assert await is_stuck(stage)


async def test_a_scene_lasts_while_an_action_is_in_flight(autojump_clock):
    stage = Stage()
    group = stage.fleet.groups[stage.group_id]
    ledger = evolve(group.ledger, actions=(creating(1),))
    stage.fleet.groups[stage.group_id] = evolve(group, ledger=ledger)

    assert await is_stuck(stage)


async def test_without_a_screen_answers_are_told_now_and_then(autojump_clock):
    stage = Stage()
    stage.fleet.holders[stage.group_id] = SimpleNamespace(held=3)
    for _ in range(TOLD_EVERY_S + 1):
        stage.visitors.pass_second()

    stage.play.look()

    told = [fields for name, fields in stage.lines if name == "visitors_asked"]
    assert [fields["second"] for fields in told] == [0, TOLD_EVERY_S]
    assert told[1] == {
        "second": TOLD_EVERY_S,
        "answered": 1,
        "p50": "50 ms",
        "p95": "50 ms",
        "failed": 0,
        "held": 3,
        "members": 0,
    }


async def test_with_a_screen_answers_are_on_it(autojump_clock):
    stage = Stage()
    stage.play.plain = None
    stage.visitors.pass_second()

    stage.play.look()

    assert not stage.lines
    assert stage.play.screen(ConsoleDimensions(80, 24))
