"""Where `top` has it from, where no daemon runs."""

import pytest

from autoscaler.cli.screen.source import StateDirectory
from autoscaler.shell.configuration.settings import load_settings
from tests.cli.files import GROUP, configuration
from tests.cli.screen.fleets import keep

API = GROUP.replace("user:web", "user:api")


@pytest.fixture
async def source(tmp_path):
    await keep(tmp_path)
    return StateDirectory(load_settings(configuration(tmp_path)))


async def test_a_group_is_explained_by_the_state_on_lines_that_fit(
    source,
):
    lines = source.explain("west/user:web", 60)

    text = " ".join(" ".join(lines).split())
    assert text.startswith("west/user:web: hold steady (")
    assert "By the state file: the daemon is down" in text
    assert "user:web fresh 50.0" in text
    assert "low_ticks holds 0 5 0 of 5 low ticks" in text
    assert max(map(len, lines)) <= 60


async def test_a_group_that_the_file_has_got_meanwhile_is_known(source, tmp_path):
    assert "unknown group" in " ".join(source.explain("west/user:api", 80))

    configuration(tmp_path, groups=GROUP + API)

    assert source.explain("west/user:api", 80) == (
        "west/user:api: nothing was decided yet",
    )


async def test_a_file_that_is_gone_meanwhile_is_told(source, tmp_path):
    (tmp_path / "autoscaler.toml").unlink()

    assert "autoscaler.toml" in " ".join(source.explain("west/user:api", 80))


async def test_what_can_not_be_asked_is_said(source):
    said = source.obey("pause", "west/user:web")

    assert said.startswith("the daemon is down: nobody listens at ")


async def test_a_state_that_can_not_be_read_is_told(source, tmp_path):
    (tmp_path / "state" / "state.db").write_bytes(b"no database" * 100)

    seen = source.see()

    assert seen.sight is None
    assert seen.complaint.startswith("no daemon runs, and ")
