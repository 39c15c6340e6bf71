"""What demos share: their configurations, their events, their end."""

import pytest
import trio
from rich.text import Text

from autoscaler.cli.demos import traffic, usage
from autoscaler.cli.demos.blocks import Latest
from autoscaler.cli.demos.scenes import SCENES, WANTED
from autoscaler.cli.demos.stage import CONFIG, LONGEST_S, prepare, put_on, story_log
from autoscaler.cli.demos.story import Story, turns
from autoscaler.shell.log import Field, Log


class Endless:
    """A play that goes on and on."""

    is_over = False

    def look(self):
        pass

    def screen(self, size):
        return Text("")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        pytest.param(usage.CONFIG, [usage.ADDRESS], id="usage"),
        pytest.param(
            traffic.CONFIG,
            [traffic.HOST, traffic.SOCKET, traffic.ACTIVATOR, traffic.PORT],
            id="traffic",
        ),
    ],
)
def test_what_differs_each_time_stands_in_the_configuration(name, told):
    text = (CONFIG / name).read_text()

    assert all(word in text for word in told)


def test_what_was_found_is_in_the_copy_that_the_daemon_runs_on(tmp_path):
    settings = prepare(tmp_path, usage.CONFIG, {usage.ADDRESS: "127.0.0.1:4711"})

    assert settings.hosts[0].access.port == 4711
    assert settings.path == tmp_path / usage.CONFIG
    assert settings.deployment.state_dir == tmp_path / "state"


def test_members_listen_where_the_balancer_is_told_that_they_do(tmp_path):
    settings = prepare(tmp_path, traffic.CONFIG, {traffic.PORT: "4711"})

    [group] = settings.groups
    assert group.traffic is not None
    assert group.traffic.balancer.port == 4711
    assert "--port=4711" in group.policy.argument_template


def test_the_scenes_lead_to_what_is_wanted():
    assert turns(scene.size for scene in SCENES) == WANTED


def test_events_are_told_to_all_who_want_them():
    story, latest = Story((1,)), Latest()
    lines: list[str] = []
    plain = Log(lambda _level, name, _fields: lines.append(name))
    log = story_log(story, latest, plain)
    log.now = lambda: 0.0

    done: dict[str, Field] = {
        "group": "a/b",
        "action": "DestroyClone",
        "action_id": 1,
        "reason": "low",
    }
    log.event("action_finished", **done, outcome="done")
    log.debug("wake_asked", group="a/b", held=2)

    assert story.actions == [{**done, "outcome": "done"}]
    [line] = latest.lines
    assert line.startswith("action_finished ")
    assert "outcome=done" in line
    assert lines == ["action_finished", "wake_asked"]


async def test_a_play_that_goes_on_and_on_is_ended_in_time(autojump_clock):
    async def begin(nursery):
        nursery.start_soon(trio.sleep_forever)
        return Endless()

    await put_on(begin, None)

    assert trio.current_time() == LONGEST_S
