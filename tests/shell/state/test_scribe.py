"""Troubles of the state are said when they begin and when they are over."""

import pytest
import trio

from autoscaler.shell.log import Log
from autoscaler.shell.state.schema import StoreError
from autoscaler.shell.state.scribe import Scribe

FULL = StoreError("the disk is full")


async def writing(error=None):
    await trio.lowlevel.checkpoint()
    if error is not None:
        raise error


@pytest.fixture
def lines():
    return []


@pytest.fixture
def scribe(lines):
    return Scribe(Log(lambda _level, name, _fields: lines.append(name), lambda: 0.0))


async def test_what_works_is_not_said(scribe, lines):
    assert await scribe.write(writing()) is None
    assert lines == []


async def test_a_failure_is_returned(scribe):
    assert await scribe.write(writing(FULL)) is FULL


async def test_a_trouble_is_said_once_and_its_end_once(scribe, lines):
    for error in (FULL, FULL, None, None, FULL):
        await scribe.write(writing(error))

    assert lines == ["state_failed", "state_recovered", "state_failed"]


async def test_a_bug_is_no_trouble_of_the_state(scribe):
    with pytest.raises(RuntimeError):
        await scribe.write(writing(RuntimeError("a bug")))
