"""Requests as the command line makes them."""

import pytest
import trio

from autoscaler.cli import main
from autoscaler.shell.operators.control import listen, serve
from autoscaler.shell.operators.requests import Reply
from tests.cli.files import configuration


@pytest.mark.parametrize(
    ("words", "verb", "about"),
    [
        (["pause"], "pause", {}),
        (["pause", "user:web"], "pause", {"group": "user:web"}),
        (["scale", "user:web", "3"], "scale", {"group": "user:web", "clones": "3"}),
        (["adopt", "user:x-clone-1"], "adopt", {"name": "user:x-clone-1"}),
        (["adopt", "--all"], "adopt_all", {}),
    ],
)
async def test_what_is_asked_reaches_the_daemon(nursery, tmp_path, words, verb, about):
    asked = []

    async def obey(request, _peer):
        asked.append(request)
        return Reply(("so it is",))

    (tmp_path / "state").mkdir()
    listener = await listen(tmp_path / "state")
    nursery.start_soon(serve, listener, tmp_path / "state", obey)
    line = [*words, "--config", str(configuration(tmp_path))]
    code = await trio.to_thread.run_sync(main, line)

    assert code == 0
    assert [(request.verb, request.words) for request in asked] == [(verb, about)]


@pytest.mark.parametrize("words", [[], ["user:web"]])
def test_a_size_needs_a_group_and_a_number(tmp_path, capsys, words):
    with pytest.raises(SystemExit) as ended:
        main(["scale", *words, "--config", str(configuration(tmp_path))])

    assert ended.value.code == 2
    assert "required: " in capsys.readouterr().err
