"""What runs beside a daemon for its operators, and can't end it."""

from functools import partial

import trio

from autoscaler.shell.containment import BROKEN
from autoscaler.shell.operators.control import ask
from autoscaler.shell.operators.requests import Request
from autoscaler.shell.operators.service import hear_operators
from tests.shell.operators.office import open_office

PATIENCE_S = 30


async def asking(directory, verb):
    with trio.fail_after(PATIENCE_S):
        work = partial(ask, directory, Request(verb))
        return await trio.to_thread.run_sync(work)


async def test_a_bug_in_an_answer_is_told_and_the_next_is_answered(nursery, tmp_path):
    async def explode(_words):
        msg = "a bug"
        raise ValueError(msg)

    office = await open_office(nursery)
    office.desk.handlers = {**office.desk.handlers, "top": explode}
    for companion in await hear_operators(tmp_path, office.desk, office.world.told):
        nursery.start_soon(companion)

    broken = await asking(tmp_path, "top")
    other = await asking(tmp_path, "ping")

    assert (broken.is_done, broken.said) == (False, (BROKEN,))
    assert other.is_done
    [bug] = [fields for name, fields in office.world.log if name == "bug_contained"]
    assert bug["doing"] == "obeying top"
