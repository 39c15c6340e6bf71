"""Messages as JSON: one form each, there and back, and clear refusals."""

import json
from copy import deepcopy

import pytest
from hypothesis import given

from albatross_client import commands as c
from albatross_client import replies as r
from albatross_client.commands import Unknown
from albatross_client.meaning import (
    command_from_meaning,
    command_to_meaning,
    from_meaning,
    to_meaning,
)
from albatross_client.names import Name
from albatross_client.replies import (
    Header,
    Wire,
)
from tests.client import strategies as some
from tests.client.vectors import of_kind


def as_json(meaning):
    return json.loads(json.dumps(meaning))


@given(some.wires)
def test_every_message_comes_back_from_json(message):
    assert from_meaning(as_json(to_meaning(message))) == message


@given(some.a_command)
def test_every_command_comes_back_from_json(command):
    assert command_from_meaning(as_json(command_to_meaning(command))) == command


@pytest.mark.parametrize(
    ("payload", "meaning"),
    [
        pytest.param(r.Done(), {"success": {"empty": True}}, id="empty"),
        pytest.param(
            r.OldInfos5(()), {"success": {"old_unikernel_info5": []}}, id="infos-5"
        ),
        pytest.param(
            c.OldUnikernelInfo4(),
            {"command": {"unikernel": {"old_info4": True}}},
            id="old-info-4",
        ),
        pytest.param(
            c.PolicyRemove(), {"command": {"policy": {"remove": True}}}, id="policy"
        ),
        pytest.param(
            Unknown("data", 5, b"\xa5\x02\x05\x00"),
            {"unknown": {"in": "data", "tag": 5, "der_hex": "a5020500"}},
            id="unknown",
        ),
        pytest.param(
            r.Blocks((r.Block(Name(("a",), "b"), 7, active=True),)),
            {
                "success": {
                    "block_devices": [
                        {
                            "name": {"text": "a:b", "path": ["a"], "label": "b"},
                            "size": 7,
                            "active": True,
                        }
                    ]
                }
            },
            id="block-devices",
        ),
    ],
)
def test_a_message_that_no_vector_shows_has_its_form(payload, meaning):
    message = Wire(Header(Name((), "web")), payload)

    shown = to_meaning(message)

    assert shown["payload"] == meaning
    assert from_meaning(as_json(shown)) == message


def test_an_unknown_command_of_a_certificate_has_its_form():
    command = Unknown("command", 9, b"\xa9\x00")

    meaning = command_to_meaning(command)

    assert meaning == {
        "version": 5,
        "command": {"unknown": {"in": "command", "tag": 9, "der_hex": "a900"}},
    }


# What is refused: a good message, changed in one place

GOOD = {
    name: meaning for name, (_, meaning) in of_kind("wire", "cert-extension").items()
}
REMOVED = object()


def changed(name, path, value):
    meaning = deepcopy(GOOD[name])
    *way, last = path
    place = meaning
    for step in way:
        place = place[step]
    if value is REMOVED:
        del place[last]
    else:
        place[last] = value
    return meaning


PAYLOAD = ("payload",)
CREATE = ("payload", "command", "unikernel", "force_create")
SINCE = ("payload", "command", "console", "subscribe", "since")
LINE = ("payload", "data", "console")
RUSAGE = ("payload", "data", "stats", "rusage")
FULL = "command-unikernel-force-create-full"
TIME = "command-console-subscribe-since"


@pytest.mark.parametrize(
    ("name", "path", "value", "said"),
    [
        pytest.param(
            "header-root",
            ("header",),
            REMOVED,
            r"\$: an object with 'payload' where an object with 'header', 'payload'",
            id="no-header",
        ),
        pytest.param(
            "header-root", ("extra",), 1, r"\$: an object with", id="one-member-more"
        ),
        pytest.param(
            "header-root",
            ("header", "version"),
            6,
            r"\$.header.version: 6 where the version 5 is expected",
            id="version-6",
        ),
        pytest.param(
            "header-root",
            ("header", "sequence"),
            1.5,
            r"\$.header.sequence: 1.5 where a whole number is expected",
            id="fraction",
        ),
        pytest.param(
            "header-root",
            ("header", "sequence"),
            True,
            r"\$.header.sequence: true where a whole number",
            id="true-for-a-number",
        ),
        pytest.param(
            "header-label",
            ("header", "name", "text"),
            ":other",
            r"\$.header.name.text: ':other' where the text of path and label, ':hello'",
            id="name-contradicts-itself",
        ),
        pytest.param(
            "header-label",
            ("header", "name", "label"),
            "-x",
            r"\$.header.name: '-x' is not a label",
            id="bad-label",
        ),
        pytest.param(
            "header-path",
            ("header", "name", "path"),
            "test",
            r"\$.header.name.path: 'test' where a list is expected",
            id="text-for-a-list",
        ),
        pytest.param(
            "header-root",
            PAYLOAD,
            {},
            r"\$.payload: an empty object where an object with one of 'command'",
            id="no-payload",
        ),
        pytest.param(
            "header-root",
            PAYLOAD,
            {"command": {}, "data": {}},
            r"\$.payload: an object with 'command', 'data' where",
            id="two-payloads",
        ),
        pytest.param(
            "header-root", PAYLOAD, [], r"\$.payload: a list of 0 where", id="list"
        ),
        pytest.param(
            "header-root",
            ("payload", "command", "unikernel"),
            {"old_info3": True},
            r"\$.payload.command.unikernel: an object with 'old_info3' where",
            id="no-such-command",
        ),
        pytest.param(
            "header-root",
            ("payload", "command", "unikernel", "info"),
            False,
            r"\$.payload.command.unikernel.info: false where true is expected",
            id="false-for-true",
        ),
        pytest.param(
            FULL,
            (*CREATE, "typ"),
            "hvt",
            r"force_create.typ: 'hvt' where one of 'solo5', 'bhyve' is expected",
            id="typ",
        ),
        pytest.param(
            FULL, (*CREATE, "typ"), [], r"typ: a list of 0 where", id="list-for-typ"
        ),
        pytest.param(
            FULL,
            (*CREATE, "image_hex"),
            "7f4",
            r"image_hex: '7f4' where an even number of hexadecimal digits",
            id="odd-digits",
        ),
        pytest.param(
            FULL, (*CREATE, "image_hex"), "7f 45", "image_hex", id="space-in-digits"
        ),
        pytest.param(
            FULL, (*CREATE, "image_hex"), None, "image_hex: null", id="null-for-digits"
        ),
        pytest.param(
            FULL,
            (*CREATE, "compressed"),
            1,
            r"compressed: 1 where true or false",
            id="number-for-boolean",
        ),
        pytest.param(
            FULL,
            (*CREATE, "fail_behaviour"),
            {"quit": 1},
            r"fail_behaviour.quit: 1 where true",
            id="quit",
        ),
        pytest.param(
            FULL,
            (*CREATE, "cpuids", 0),
            "0",
            r"cpuids\[0\]: '0' where a whole number",
            id="text-in-a-set",
        ),
        pytest.param(
            FULL,
            (*CREATE, "argv", 1),
            7,
            r"argv\[1\]: 7 where a string",
            id="number-for-text",
        ),
        pytest.param(
            FULL,
            (*CREATE, "bridges", 1, "mac"),
            "00:80:41:ff:fe",
            r"bridges\[1\].mac: '00:80:41:ff:fe' where a MAC address",
            id="short-mac",
        ),
        pytest.param(
            FULL,
            (*CREATE, "bridges", 1, "mac"),
            "00-80-41-ff-fe-fd",
            "where a MAC address",
            id="mac-with-dashes",
        ),
        pytest.param(
            TIME,
            (*SINCE, "picoseconds"),
            36672000000000001,
            r"since.picoseconds: 36672000000000001 where whole milliseconds of one day",
            id="picosecond",
        ),
        pytest.param(
            TIME,
            (*SINCE, "picoseconds"),
            86400 * 10**12,
            r"since.picoseconds",
            id="a-day-of-picoseconds",
        ),
        pytest.param(
            TIME,
            (*SINCE, "days"),
            10**9,
            r"since: the time .* is not in the years 0 to 9999",
            id="year-2-million",
        ),
        pytest.param(
            TIME,
            (*SINCE, "rfc3339"),
            "2026-08-22T10:11:13Z",
            r"since.rfc3339: .* where the same instant, '2026-08-22T10:11:12.0",
            id="time-contradicts-itself",
        ),
        pytest.param(
            "data-console",
            (*LINE, "data"),
            "other",
            r"console.data: 'other' where the text of data_hex",
            id="line-contradicts-itself",
        ),
        pytest.param(
            "data-stats-bare",
            (*RUSAGE, "utime", "seconds"),
            None,
            r"rusage.utime.seconds: null where a whole number",
            id="no-seconds",
        ),
        pytest.param(
            "data-stats-bare",
            (*RUSAGE, "nivcsw"),
            REMOVED,
            r"stats.rusage: an object with 'utime', 'stime', 'm",
            id="counter-missing",
        ),
        pytest.param(
            "header-root",
            PAYLOAD,
            {"unknown": {"in": "log", "tag": 5, "der_hex": "a500"}},
            r"\$.payload.unknown.in: 'log' where one of 'command', 'success', 'data'",
            id="unknown-in-nothing",
        ),
    ],
)
def test_bad_json_is_refused_with_its_place(name, path, value, said):
    meaning = changed(name, path, value)

    with pytest.raises(ValueError, match=said) as refusal:
        from_meaning(meaning)

    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("value", [None, [], "x", 5, True, 1e308, float("nan")])
def test_what_is_no_object_is_refused(value):
    with pytest.raises(ValueError, match=r"^\$: .* where an object"):
        from_meaning(value)
    with pytest.raises(ValueError, match=r"^\$: .* where an object"):
        command_from_meaning(value)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        pytest.param(("version",), 4, r"\$.version", id="version-4"),
        pytest.param(
            ("command",),
            {"unknown": {"in": "data", "tag": 5, "der_hex": "a500"}},
            r"\$.command.unknown.in: 'data' where one of 'command'",
            id="unknown-data",
        ),
        pytest.param(("command",), "info", r"\$.command: 'info' where", id="text"),
    ],
)
def test_a_bad_extension_is_refused_with_its_place(path, value, said):
    meaning = changed("ext-unikernel-info", path, value)

    with pytest.raises(ValueError, match=said):
        command_from_meaning(meaning)


@pytest.mark.parametrize("name", GOOD)
def test_no_member_of_any_message_may_be_missing(name):
    meaning = GOOD[name]
    read = from_meaning if "payload" in meaning else command_from_meaning

    for path in _members(meaning):
        with pytest.raises(ValueError, match=r"^\$"):
            read(changed(name, path, REMOVED))


def _members(value, path=()):
    """Yield the path of every member of every object in *value*."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in pairs:
        if isinstance(value, dict):
            yield (*path, key)
        if isinstance(inner, dict | list):
            yield from _members(inner, (*path, key))


def test_a_value_is_shown_in_a_few_words():
    huge = {"x" * 1000: 1}

    with pytest.raises(ValueError, match="an object with") as refusal:
        from_meaning(huge)

    assert len(str(refusal.value)) < 200
