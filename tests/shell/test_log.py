import ast
import io
import json
from pathlib import Path

import pytest

import autoscaler
from autoscaler.core.events import NoteKind
from autoscaler.shell.events import EVENTS, LEVELS
from autoscaler.shell.log import MOST_REMEMBERED, REPEAT_S, Log, configure


@pytest.fixture
def every_line_is_as_its_event_says():
    """Here it is the lines that matter, whatever is in them."""


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def lines():
    return []


@pytest.fixture
def log(clock, lines):
    return Log(lambda level, name, fields: lines.append((level, name, fields)), clock)


def rendered(kind, level="debug", **fields):
    file = io.StringIO()
    log = configure(kind, level, file)
    log.now = lambda: 0.0
    log.info("action_started", **fields)
    return file.getvalue()


@pytest.mark.parametrize("level", LEVELS)
def test_each_level_has_a_method(log, lines, level):
    getattr(log, level)("heartbeat", groups=3)

    assert lines == [(level, "heartbeat", {"groups": 3})]


def test_an_event_has_the_level_of_its_table(log, lines):
    log.event("primary_lost", group="west/user:web")

    assert lines == [("error", "primary_lost", {"group": "west/user:web"})]


def test_a_repeated_warning_is_written_once_a_minute_with_its_number(log, lines, clock):
    for _ in range(130):
        log.warning("stream_lost", host="west", retry_in_s=clock.now % 7)
        clock.now += 1

    assert [fields.get("repeated") for _, _, fields in lines] == [None, 59, 60]


@pytest.mark.parametrize("name", ["http_failed", "activator_failed"])
def test_an_error_of_what_is_tried_again_is_no_alarm_every_few_seconds(
    log, lines, clock, name
):
    for _ in range(26):
        log.event(name, group="west/user:web", error="Address already in use")
        clock.now += 5

    assert {level for level, _, _ in lines} == {"error"}
    assert [fields.get("repeated") for _, _, fields in lines] == [None, 11, 12]


def test_any_other_error_is_written_each_time(log, lines):
    for _ in range(3):
        log.event("configuration_refused", error="x.toml: is not TOML")

    assert len(lines) == 3


def test_repetitions_are_told_when_the_minute_is_over_though_no_more_come(
    log, lines, clock
):
    log.warning("stream_lost", host="west", error="gone")
    log.warning("stream_lost", host="west", error="gone")
    clock.now += REPEAT_S

    log.info("heartbeat")

    assert [(name, fields.get("repeated")) for _, name, fields in lines] == [
        ("stream_lost", None),
        ("stream_lost", 1),
        ("heartbeat", None),
    ]


def test_after_a_quiet_minute_a_warning_is_a_new_one(log, lines, clock):
    log.warning("stream_lost", host="west")
    clock.now += REPEAT_S

    log.warning("stream_lost", host="west")

    assert [fields for _, _, fields in lines] == [{"host": "west"}] * 2


def test_warnings_about_different_things_are_different(log, lines):
    log.warning("stream_lost", host="west", error="refused")
    log.warning("stream_lost", host="east", error="refused")
    log.warning("stream_lost", host="east", error="no route")
    log.warning("action_finished", action_id=1)
    log.warning("action_finished", action_id=2)

    assert len(lines) == 5


def test_numbers_within_an_error_make_no_other_warning(log, lines):
    log.warning("stream_lost", host="west", error="no answer within 20 s")
    log.warning("stream_lost", host="west", error="no answer within 21 s")

    assert len(lines) == 1


def test_what_is_no_warning_is_never_left_out(log, lines):
    for _ in range(3):
        log.error("primary_lost", group="west/user:web")

    assert len(lines) == 3


def test_the_memory_for_repetitions_is_bounded(log, lines):
    for number in range(MOST_REMEMBERED + 1):
        log.warning("look_failed", host=f"host-{number}")
    log.warning("look_failed", host="host-0")
    log.warning("look_failed", host=f"host-{MOST_REMEMBERED}")

    assert len(lines) == MOST_REMEMBERED + 2


@pytest.mark.parametrize(
    ("value", "written"),
    [
        pytest.param("plain", "plain", id="plain"),
        pytest.param("", "", id="empty"),
        pytest.param(None, "", id="nothing"),
        pytest.param(True, "true", id="true"),
        pytest.param(False, "false", id="false"),
        pytest.param(0.1 + 0.2, "0.3", id="a float"),
        pytest.param(float("inf"), "inf", id="infinity"),
        pytest.param("two words", '"two words"', id="a space"),
        pytest.param("a=b", '"a=b"', id="an equals sign"),
        pytest.param('say "x"', r'"say \"x\""', id="quotes"),
        pytest.param("a\nb", r"a\nb", id="a line end"),
        pytest.param("a \n b", r'"a \\n b"', id="a line end between spaces"),
        pytest.param("\x1b[31mred", r"\x1b[31mred", id="a terminal's command"),
        pytest.param("\u2028", r"\u2028", id="a line separator"),
        pytest.param(b"secret", '"<6 bytes>"', id="bytes"),
        pytest.param("x" * 600, "x" * 497 + "...", id="a long text"),
    ],
)
def test_logfmt_quotes_and_escapes(value, written):
    line = rendered("logfmt", error=value)

    assert line.endswith(f" level=info event=action_started error={written}\n")
    assert line.count("\n") == 1


def test_json_is_one_object_a_line():
    line = rendered("json", error='a "b"\nc', took_s=float("nan"), count=3)

    fields = json.loads(line)
    timestamp = fields.pop("timestamp")
    assert timestamp.endswith("Z")
    assert fields == {
        "level": "info",
        "event": "action_started",
        "error": 'a "b"\\nc',
        "took_s": "nan",
        "count": 3,
    }
    assert line.count("\n") == 1


def test_what_is_below_the_level_is_left_out():
    assert rendered("logfmt", "warning") == ""


def test_without_a_file_lines_go_to_standard_error(capsys):
    log = configure()
    log.now = lambda: 0.0

    log.info("daemon_started", name="west")

    assert "event=daemon_started name=west" in capsys.readouterr().err


def test_a_log_that_nobody_reads_ends_nothing():
    file = io.StringIO()
    log = configure(file=file)
    log.now = lambda: 0.0
    file.close()

    log.info("heartbeat")

    assert file.closed


def test_every_note_about_a_member_has_a_level():
    assert {kind.value for kind in NoteKind} <= set(EVENTS)


def test_every_event_in_the_code_is_in_the_table():
    package = Path(autoscaler.__file__).parent
    names = {
        call.args[0].value
        for file in package.rglob("*.py")
        for call in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr in {*LEVELS, "event"}
        and call.args
        and isinstance(call.args[0], ast.Constant)
    }

    assert names
    assert names <= set(EVENTS)


def test_event_names_are_snake_case_and_each_says_what_has_happened():
    for name, event in EVENTS.items():
        assert name == name.lower()
        assert name.replace("_", "").isalpha()
        assert event.level in LEVELS
        assert event.meaning.endswith(".")
