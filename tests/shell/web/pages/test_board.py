"""Who follows, and what each is owed."""

import pytest

from albatross_client.names import Name
from autoscaler.core.group import GroupId
from autoscaler.shell.web.pages.board import MOST_SUBSCRIBERS, Board, FullError

A, B = (GroupId("alpha", Name(("user",), label)) for label in "ab")


def all_owed(subscriber):
    return list(iter(subscriber.take, None))


async def test_who_comes_new_is_told_of_all():
    board = Board()
    board.change([A, B])

    assert all_owed(board.subscribe(None, None)) == [A, B]
    assert all_owed(board.subscribe("garbage-1", None)) == [A, B]
    assert all_owed(board.subscribe(f"{board.run}-x", None)) == [A, B]
    assert all_owed(board.subscribe(f"{board.run}-{'9' * 5000}", None)) == [A, B]


async def test_who_comes_back_is_told_what_has_changed():
    board = Board()
    board.change([A])
    since = board.instant
    board.change([B])

    assert all_owed(board.subscribe(since, None)) == [B]
    assert all_owed(board.subscribe(board.instant, None)) == []


async def test_who_was_with_an_earlier_run_is_told_of_all():
    board = Board()
    board.change([A])

    assert all_owed(board.subscribe(Board().instant, None)) == [A]


async def test_a_slow_reader_is_owed_each_group_once():
    board = Board()
    subscriber = board.subscribe(None, None)

    for _ in range(1000):
        board.change([A, B])

    assert len(subscriber.owed) == 2
    assert all_owed(subscriber) == [A, B]


async def test_who_follows_one_group_is_told_of_no_other():
    board = Board()
    subscriber = board.subscribe(None, A)

    board.change([B, A])

    assert all_owed(subscriber) == [A]


async def test_a_group_that_is_gone_is_owed_to_nobody():
    board = Board()
    board.change([A, B])
    subscriber = board.subscribe(None, None)

    board.remove(A)

    assert all_owed(subscriber) == [B]
    assert all_owed(board.subscribe(None, None)) == [B]


async def test_there_are_only_so_many_and_who_leaves_makes_room():
    board = Board()
    all_of_them = [board.subscribe(None, None) for _ in range(MOST_SUBSCRIBERS)]

    with pytest.raises(FullError):
        board.subscribe(None, None)
    board.leave(all_of_them[0])

    board.subscribe(None, None)
