"""A daemon that finds its state damaged owns nothing before it is told so."""

import signal

from albatross_client.names import Name
from albatross_client.sandbox.embed import SANDBOX_IMAGE
from albatross_client.values import Config
from tests.cli.running import start, write_config

CLONE = Name(("user",), "web-clone-1")


async def test_after_a_damaged_state_no_look_alike_is_adopted_or_destroyed(
    nursery,
    sandbox,
    tmp_path,
):
    sandbox.host.create(
        CLONE, Config(image=SANDBOX_IMAGE, memory=32, cpuids=frozenset({1}))
    )
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "state.db").write_bytes(b"no database" * 200)
    more = 'scale_up_threshold_percent = 100\ncooldown_period = "1s"'
    config = write_config(tmp_path, sandbox, more).read_text()
    (tmp_path / "autoscaler.toml").write_text(
        config.replace("max_clones = 1", "max_clones = 0")
    )

    daemon = await start(nursery, tmp_path / "autoscaler.toml")
    said = await daemon.wait_for("event=state_set_aside")
    found = await daemon.wait_for("event=foreign_found")
    await daemon.end(signal.SIGTERM)
    again = await start(nursery, tmp_path / "autoscaler.toml")
    await again.wait_for("event=decision_changed")
    await again.end(signal.SIGTERM)

    assert "state.db.corrupt-" in said
    assert "user:web-clone-1" in found
    assert CLONE in sandbox.host.state.unikernels
    assert not [line for line in again.lines if "clone_adopted" in line]
