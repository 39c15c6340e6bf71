"""Tests of balancers that are executables of the operator's."""

import json
import os
from pathlib import Path

import pytest
import trio

from autoscaler.core.arrange import Add, Drain, Remove, Weigh
from autoscaler.core.backend import Health, Place
from autoscaler.shell.traffic import hook
from autoscaler.shell.traffic.balancer import BalancerError, Trouble
from autoscaler.shell.traffic.hook import NEEDED, HookBalancer

ADD = Add("web-1", Place("10.0.42.11", 80))
SEEN = '{"servers": [{"name": "web-1", "duty": "drain", "health": "passed"}]}'


@pytest.fixture
def script(tmp_path):
    """Make an executable of the lines of a shell script."""

    def make(text, mode=0o700):
        path = tmp_path / f"hook-{len(list(tmp_path.iterdir()))}"
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(mode)
        return path

    return make


def balancer(path, patience_s=10.0, **more):
    hooks = {**dict.fromkeys(NEEDED, path), **more}
    return HookBalancer("web", hooks, patience_s)


async def test_a_hook_is_told_its_step_and_no_shell_reads_it(script, tmp_path):
    told = tmp_path / "told"

    await balancer(script(f"cat > {told}")).perform(Drain("$(touch gone);web"))

    assert json.loads(told.read_text()) == {
        "step": "drain",
        "backend": "web",
        "name": "$(touch gone);web",
    }
    assert not (tmp_path / "gone").exists()


async def test_what_a_hook_observes_is_the_backend(script):
    backend = await balancer(script(f"echo '{SEEN}'")).observe()

    assert backend.servers["web-1"].health is Health.PASSED
    assert backend.at <= trio.current_time()


async def test_each_step_has_its_own_hook(script, tmp_path):
    told = tmp_path / "told"
    mine = script(f"cat > {told}")
    other = script("exit 1")

    await balancer(other, add=mine).perform(ADD)

    assert json.loads(told.read_text())["step"] == "add"


async def test_without_a_hook_for_weights_they_are_left_alone(script):
    await balancer(script("exit 1")).perform(Weigh("web-1", 40))


async def test_a_hook_that_fails_is_told_in_its_own_words(script):
    path = script("echo 'no route to dns' >&2; exit 3")

    with pytest.raises(BalancerError, match=r"exit code 3: no route to dns") as caught:
        await balancer(path).perform(ADD)

    assert caught.value.trouble is Trouble.REFUSED


async def test_a_hook_that_fails_without_a_word_is_told(script):
    with pytest.raises(BalancerError, match="exit code 1: without a word"):
        await balancer(script("exit 1")).perform(ADD)


async def test_a_hook_that_says_what_is_no_backend_is_told(script):
    with pytest.raises(BalancerError, match="'ok' is no JSON") as caught:
        await balancer(script("echo ok")).observe()

    assert caught.value.trouble is Trouble.UNREADABLE


async def test_a_hook_that_does_not_end_is_ended_with_all_it_has_started(
    script, tmp_path
):
    pid = tmp_path / "pid"
    path = script(f"sleep 600 & echo $! > {pid}; wait")
    began = trio.current_time()

    with pytest.raises(BalancerError, match=r"did not end within 0\.3 s") as caught:
        await balancer(path, patience_s=0.3).perform(ADD)

    assert caught.value.trouble is Trouble.SILENT
    assert caught.value.is_away
    assert trio.current_time() - began < 5
    await _ended(int(pid.read_text()))


async def test_what_a_hook_leaves_running_holds_nobody_up(script):
    began = trio.current_time()
    path = script(f"sleep 3 & echo '{SEEN}'")

    backend = await balancer(path).observe()

    assert "web-1" in backend.servers
    assert trio.current_time() - began < 3


async def test_a_hook_that_prints_without_end_is_told(script, monkeypatch):
    monkeypatch.setattr(hook, "MOST_OUTPUT", 100_000)

    with pytest.raises(BalancerError, match="more than 100000 bytes") as caught:
        await balancer(script("head -c 300000 /dev/zero")).observe()

    assert caught.value.trouble is Trouble.UNREADABLE


async def test_of_long_complaints_the_beginning_is_told(script):
    path = script("head -c 300000 /dev/zero | tr '\\0' x >&2; exit 1")

    with pytest.raises(BalancerError, match="xxx") as caught:
        await balancer(path).perform(ADD)

    assert len(str(caught.value)) < 600


async def test_a_hook_that_reads_nothing_is_no_failure(script):
    await balancer(script("exec 0<&-; exit 0")).perform(ADD)


@pytest.mark.parametrize(
    ("mode", "text", "trouble", "message"),
    [
        pytest.param(0o600, "", Trouble.FORBIDDEN, "executable", id="not executable"),
        pytest.param(None, "", Trouble.REFUSED, "No such file", id="missing"),
    ],
)
async def test_a_hook_that_can_not_be_run_is_told(script, mode, text, trouble, message):
    path = script(text, mode or 0o700)
    if mode is None:
        path.unlink()

    with pytest.raises(BalancerError, match=message) as caught:
        await balancer(path).perform(Remove("web-1"))

    assert caught.value.trouble is trouble


@pytest.mark.parametrize(
    ("hooks", "message"),
    [
        pytest.param({}, "no hook for add", id="none"),
        pytest.param(
            {**dict.fromkeys(NEEDED, Path("/bin/true")), "grow": Path("/bin/true")},
            "'grow' is no step",
            id="one too many",
        ),
        pytest.param(
            dict.fromkeys(NEEDED, Path("hook")), "no absolute path", id="relative"
        ),
    ],
)
def test_hooks_that_can_not_work_are_refused(hooks, message):
    with pytest.raises(ValueError, match=message):
        HookBalancer("web", hooks)


async def _ended(pid):
    with trio.fail_after(5):
        while _runs(pid):
            await trio.sleep(0.01)


def _runs(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    # A zombie has ended; whoever adopted it has not asked yet.
    return state != "Z" and os.getpid() != pid
