"""The native protocol of systemd's journal, to a socket that is one."""

import io
import os
import socket
import struct

import pytest

from autoscaler.shell.event_fields import FIELDS
from autoscaler.shell.journald import (
    MOST_WAITING,
    PRIORITIES,
    Journal,
    is_journal,
    write_entry,
)
from autoscaler.shell.log import configure

STARTED = {"group": "west/user:web", "action": "CreateClones", "reason": "high"}


@pytest.fixture
def every_line_is_as_its_event_says():
    """Here it is the entries that matter, whatever is in them."""


@pytest.fixture
def listener(tmp_path):
    """A socket such as the journal's."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bound:
        bound.bind(str(tmp_path / "socket"))
        bound.setblocking(False)  # noqa: FBT003 - no name for it
        yield bound


@pytest.fixture
def journal(tmp_path, listener):
    journal = Journal(str(tmp_path / "socket"))
    yield journal
    journal.close()


@pytest.fixture
def nobody(tmp_path):
    """A journal that isn't there."""
    journal = Journal(str(tmp_path / "none"))
    yield journal
    journal.close()


@pytest.fixture
def file():
    return io.StringIO()


@pytest.fixture
def log(journal, file):
    log = configure("journal", "info", file, journal)
    log.now = lambda: 0.0
    return log


def received(listener):
    """Return all entries that have come, each as a dictionary."""
    entries = []
    while True:
        try:
            entries.append(parsed(listener.recv(1024 * 1024)))
        except BlockingIOError:
            return entries


def parsed(entry):
    """Return the fields of *entry*, read as the journal does."""
    fields = {}
    while entry:
        line, _, entry = entry.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if not equals:
            (length,) = struct.unpack("<Q", entry[:8])
            value, end = entry[8 : 8 + length], entry[8 + length : 9 + length]
            entry = entry[9 + length :]
            assert end == b"\n"
        fields[name.decode()] = value.decode()
    return fields


def test_an_entry_has_a_line_for_people_and_fields_for_programs(log, listener):
    log.event("action_started", **STARTED, action_id=7)

    assert received(listener) == [
        {
            "MESSAGE": "event=action_started group=west/user:web action=CreateClones "
            "reason=high action_id=7",
            "PRIORITY": "6",
            "SYSLOG_IDENTIFIER": "autoscaler",
            "AUTOSCALER_EVENT": "action_started",
            "AUTOSCALER_GROUP": "west/user:web",
            "AUTOSCALER_ACTION": "CreateClones",
            "AUTOSCALER_REASON": "high",
            "AUTOSCALER_ACTION_ID": "7",
        }
    ]


@pytest.mark.parametrize(
    ("level", "priority"),
    [("info", "6"), ("warning", "4"), ("error", "3")],
)
def test_each_level_has_its_priority(log, listener, level, priority):
    getattr(log, level)("look_failed", host="west")

    assert [entry["PRIORITY"] for entry in received(listener)] == [priority]


def test_what_is_below_the_level_is_left_out(log, listener):
    log.debug("tick_decided")

    assert received(listener) == []


@pytest.mark.parametrize(
    "value",
    ["", "a=b", "two\nlines", "\n", "gr\u00fcn", "\ud800", True, 1.5],
)
def test_any_value_is_read_as_it_was_written(value):
    entry = write_entry("info", "look_failed", {"error": value}, "said")

    said = {True: "true", "\ud800": "\\ud800"}.get(value, str(value))
    assert parsed(entry)["AUTOSCALER_ERROR"] == said


def test_names_of_fields_are_such_as_the_journal_takes():
    """Upper case, digits and underscores, none first, at most 64."""
    for name in FIELDS:
        upper = f"AUTOSCALER_{name.upper()}"
        assert len(upper) <= 64
        assert upper.replace("_", "").isalnum()
        assert upper.isascii()
    assert set(PRIORITIES.values()) == {3, 4, 6, 7}


def test_a_journal_that_is_full_holds_nobody_up_and_gets_all_of_it_later(
    journal, listener
):
    sent = [str(number) for number in range(MOST_WAITING)]

    assert all(journal.send(write_entry("info", "e", {}, said)) for said in sent)
    was_behind = journal.is_behind
    read = received(listener)
    while journal.is_behind:
        journal.send(write_entry("info", "e", {}, "more"))
        read += received(listener)

    assert was_behind
    assert [e["MESSAGE"] for e in read if e["MESSAGE"] != "more"] == sent


def test_of_what_waits_for_long_the_oldest_is_dropped_and_that_is_told(
    log, journal, listener
):
    for number in range(2 * MOST_WAITING):
        log.info("action_started", **STARTED, action_id=number)
    read = received(listener)
    while journal.is_behind:
        log.info("daemon_stopped")
        read += received(listener)
    log.info("daemon_stopped")
    read += received(listener)

    numbers = [int(e["AUTOSCALER_ACTION_ID"]) for e in read if "AUTOSCALER_GROUP" in e]
    [told] = [e for e in read if e["AUTOSCALER_EVENT"] == "lines_dropped"]
    assert numbers == sorted(numbers)
    assert numbers[-1] == 2 * MOST_WAITING - 1
    assert len(numbers) + int(told["AUTOSCALER_DROPPED"]) == 2 * MOST_WAITING


def test_a_journal_that_is_not_there_leaves_lines_with_their_level(nobody, file):
    log = configure("journal", "info", file, nobody)
    log.now = lambda: 0.0

    log.event("primary_lost", group="west/user:web", name="user:web")

    assert file.getvalue() == (
        "level=error event=primary_lost group=west/user:web name=user:web\n"
    )


def test_an_entry_that_is_too_large_is_written_as_a_line(log, listener, file):
    log.info("action_started", **{f"f{n}": "x" * 400 for n in range(1000)})

    assert received(listener) == []
    assert "event=action_started" in file.getvalue()


def test_a_journal_that_was_restarted_is_found_again(log, listener, tmp_path, file):
    listener.close()
    (tmp_path / "socket").unlink()
    log.info("daemon_started")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bound:
        bound.bind(str(tmp_path / "socket"))
        bound.setblocking(False)  # noqa: FBT003 - no name for it
        log.info("daemon_stopped")

        [entry] = received(bound)

    assert entry["AUTOSCALER_EVENT"] == "daemon_stopped"
    assert "event=daemon_started" in file.getvalue()


def test_standard_error_is_the_journal_where_systemd_says_so(tmp_path):
    with (tmp_path / "stream").open("w") as stream:
        status = os.fstat(stream.fileno())
        here = f"{status.st_dev}:{status.st_ino}"

        assert is_journal(stream.fileno(), here)
        assert not is_journal(stream.fileno(), "1:1")
        assert not is_journal(stream.fileno(), None)
    assert not is_journal(-1, here)


def test_the_format_is_chosen_by_where_lines_go(
    tmp_path, journal, listener, monkeypatch
):
    for name in ("journal", "file"):
        with (tmp_path / name).open("w") as file:
            status = os.fstat(file.fileno())
            if name == "journal":
                monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino}")
            log = configure("auto", "info", file, journal)
            log.now = lambda: 0.0
            log.info("daemon_started", deployment=name)

    [entry] = received(listener)
    assert entry["AUTOSCALER_DEPLOYMENT"] == "journal"
    assert (tmp_path / "journal").read_text() == ""
    assert "deployment=file" in (tmp_path / "file").read_text()


def test_what_has_to_be_a_line_in_the_journal_says_how_urgent_it_is(
    tmp_path, monkeypatch, nobody
):
    with (tmp_path / "stream").open("w") as stream:
        status = os.fstat(stream.fileno())
        monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino}")
        log = configure("auto", "info", stream, nobody)
        log.now = lambda: 0.0
        log.event("primary_lost", group="west/user:web")

    assert (tmp_path / "stream").read_text().startswith("<3>event=primary_lost ")
