import json

import pytest
from attrs import evolve

from autoscaler.cli import main
from autoscaler.shell.operators.times import format_time
from autoscaler.shell.state.mortems import MOST_OF_A_GROUP, PostMortem
from autoscaler.shell.state.past import read_post_mortems
from autoscaler.shell.state.store import Store
from tests.cli.files import configuration
from tests.cli.mortems import MORTEM, WALL, keep
from tests.shell.kept import CLONE, WEST_API, WEST_WEB, Row, record


def post_mortem(file, name, *words):
    return main(["history", "--config", str(file), "--post-mortem", name, *words])


async def test_what_was_last_known_of_a_clone_is_shown(tmp_path, capsys):
    await keep(tmp_path, evolve(MORTEM, why="low", at=WALL - 9), MORTEM)

    assert post_mortem(configuration(tmp_path), str(CLONE)) == 0

    out = capsys.readouterr().out
    words = " ".join(out.split())
    assert out.startswith(f"west/user:web-clone-1, gone at {format_time(WALL)}\n")
    for shown in (
        "group west/user:web",
        "end failed: given up",
        "failure the host said no",
        "usage 12.3 % of one CPU",
        "CPU time 5.00 s",
        "memory 32 MB",
        f"{format_time(WALL - 1)} out of memory",
    ):
        assert shown in words
    assert "rss" not in words
    assert "\x1b" not in out


async def test_what_was_last_known_of_a_clone_is_json_too(tmp_path, capsys):
    await keep(tmp_path, MORTEM)

    assert post_mortem(configuration(tmp_path), f"west/{CLONE}", "--json") == 0

    shown = json.loads(capsys.readouterr().out)
    assert shown["why"] == "given_up"
    assert shown["stats"]["cpu_us"] == 5_000_000
    assert shown["info"] == {"memory": 32, "argv": ["--x=\x1b"]}
    assert shown["console"] == [{"at": WALL - 1, "text": "out of memory"}]


async def test_a_clone_of_which_little_is_known_has_a_post_mortem(tmp_path, capsys):
    bare = PostMortem(group=WEST_WEB, name=CLONE, at=WALL, why="high")
    await keep(tmp_path, bare)
    file = configuration(tmp_path)

    assert post_mortem(file, str(CLONE)) == 0
    assert "end destroyed: high" in " ".join(capsys.readouterr().out.split())
    assert post_mortem(file, str(CLONE), "--json") == 0
    assert json.loads(capsys.readouterr().out)["info"] is None


@pytest.mark.parametrize("name", ["user:web-clone-9", "east/user:web-clone-1", "x"])
async def test_a_clone_without_one_is_told_with_those_that_have(tmp_path, capsys, name):
    await keep(tmp_path, MORTEM)

    assert post_mortem(configuration(tmp_path), name) == 1

    err = capsys.readouterr().err
    assert err.endswith(
        "no post-mortem of it; the newest are of west/user:web-clone-1\n"
    )


def test_where_no_clone_has_gone_that_is_told(tmp_path, capsys):
    assert post_mortem(configuration(tmp_path), "x") == 1

    assert (
        capsys.readouterr().err
        == "'x': there is no post-mortem of it; there are none\n"
    )


async def test_a_damaged_one_is_one_sentence(tmp_path, capsys):
    await keep(tmp_path, MORTEM)
    async with await Store.open(tmp_path / "state") as store:
        store._connection.execute("UPDATE post_mortems SET body = x'00'")  # noqa: SLF001 - as a broken disk would

    assert post_mortem(configuration(tmp_path), str(CLONE)) == 1

    err = capsys.readouterr().err
    assert "the post-mortem of user:web-clone-1 in state.db is damaged" in err


async def test_they_are_counted_where_a_group_is_explained(tmp_path, capsys):
    other = evolve(MORTEM, group=WEST_API)
    await keep(tmp_path, evolve(MORTEM, name=WEST_WEB.clone(4)), MORTEM, other)
    made = record()
    async with await Store.open(tmp_path / "state") as store:
        await store.record_decisions([Row(WEST_WEB, made.at, made.decision, made)])
    file = str(configuration(tmp_path))

    assert main(["explain", "user:web", "--config", file]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert main(["explain", "user:web", "--config", file, "--json"]) == 0

    assert (
        "2 post-mortems kept, the newest of user:web-clone-1: "
        "autoscaler history --post-mortem user:web-clone-1" in out
    )
    gone = json.loads(capsys.readouterr().out)["post_mortems"]
    assert gone == ["user:web-clone-4", "user:web-clone-1"]


async def test_a_group_has_no_more_than_so_many_and_none_too_old(tmp_path):
    many = [evolve(MORTEM, at=WALL + n) for n in range(MOST_OF_A_GROUP + 5)]
    await keep(tmp_path, evolve(MORTEM, group=WEST_API), *many)
    kept = read_post_mortems(tmp_path / "state")

    async with await Store.open(tmp_path / "state") as store:
        await store.prune(60.0, WALL + 70)

    assert [m.group for m in kept[:2]] == [WEST_API, WEST_WEB]
    assert len(kept) == MOST_OF_A_GROUP + 1
    assert read_post_mortems(tmp_path / "state", WEST_API) == ()
    left = read_post_mortems(tmp_path / "state", WEST_WEB)
    assert left[0].at == WALL + 10
