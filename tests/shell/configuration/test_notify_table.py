"""Who is told of which events: what may be said, and what is refused."""

from pathlib import Path

import pytest

from autoscaler.shell.configuration.changes import changes
from autoscaler.shell.configuration.notify_table import (
    CHOICES,
    NEVER,
    NotifySettings,
    Url,
    doubts,
    read_notify,
)
from autoscaler.shell.configuration.settings import SettingsError, parse_settings
from autoscaler.shell.events import EVENTS

FILE = Path("/etc/autoscaler/autoscaler.toml")
HEAD = '[deployment]\nname = "x"\nstate_dir = "state"\n'
HOOK = {"name": "page", "events": ["level:error"], "on_event": "hooks/page"}
POST = {"name": "chat", "events": ["daemon_started"], "webhook": "https://chat/x"}


def complaints(*tables):
    _, problems = read_notify(list(tables), FILE)
    return [str(problem).removeprefix(f"{FILE}: ") for problem in problems]


def told(*events):
    return NotifySettings(name="x", events=events, on_event=Path("/bin/true"))


def test_a_table_names_an_executable_or_a_webhook():
    found, problems = read_notify([HOOK, POST], FILE)

    assert problems == ()
    assert [each.on_event for each in found] == [FILE.parent / "hooks/page", None]
    assert [each.webhook for each in found] == [None, Url("https://chat/x")]


@pytest.mark.parametrize(
    ("events", "level", "event", "is_wanted"),
    [
        pytest.param(("primary_lost",), "error", "primary_lost", True, id="by name"),
        pytest.param(("primary_lost",), "error", "image_refused", False, id="another"),
        pytest.param(("level:error",), "error", "primary_lost", True, id="its level"),
        pytest.param(("level:warning",), "error", "primary_lost", True, id="worse"),
        pytest.param(("level:error",), "warning", "stream_lost", False, id="less"),
        pytest.param(
            ("level:warning",),
            "warning",
            "action_finished",
            True,
            id="warned of",
        ),
        pytest.param(
            ("level:info",),
            "warning",
            "notification_failed",
            False,
            id="of the telling",
        ),
    ],
)
def test_events_are_chosen_by_name_or_by_level(events, level, event, is_wanted):
    assert told(*events).wants(level, event) is is_wanted


def test_whatever_can_be_chosen_is_an_event_or_a_level():
    names = {choice for choice in CHOICES if ":" not in choice}

    assert names | NEVER == set(EVENTS)
    assert set(CHOICES) - names == {"level:info", "level:warning", "level:error"}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        pytest.param(
            {"events": ["group_stod_down"]},
            'events = "group_stod_down": unknown event; did you mean group_stood_down?',
            id="misspelt",
        ),
        pytest.param(
            {"events": ["level:eror"]},
            'events = "level:eror": unknown event; did you mean level:error?',
            id="a level misspelt",
        ),
        pytest.param(
            {"events": ["qqqqqq"]},
            'events = "qqqqqq": unknown event; docs/events.md lists all',
            id="nothing like it",
        ),
        pytest.param(
            {"events": ["notification_failed"]},
            'events = "notification_failed": nobody can be told of this event',
            id="of the telling",
        ),
        pytest.param({"events": []}, "events = []: must be a list", id="no events"),
        pytest.param({"events": "x"}, 'events = "x": must be a list', id="no list"),
        pytest.param({"events": [1]}, "events = [1]: must be a list", id="no texts"),
        pytest.param({"webhook": "https://x"}, "needs either on_event", id="both"),
        pytest.param({"on_event": None}, "needs either on_event", id="neither"),
        pytest.param({"ca": "x"}, "secret_file and ca are for a webhook", id="a ca"),
        pytest.param({"timeout": "0s"}, 'timeout = "0s": must be a dur', id="at once"),
        pytest.param({"timeout": "6m"}, 'timeout = "6m": must be a dur', id="long"),
        pytest.param({"max_at_once": 17}, "max_at_once = 17: must be a wh", id="many"),
        pytest.param(
            {"evnts": []}, "evnts: unknown key; did you mean events", id="key"
        ),
    ],
)
def test_what_is_wrong_is_told_with_what_is_allowed(changes, says):
    table = {k: v for k, v in {**HOOK, **changes}.items() if v is not None}

    [complaint] = complaints(table)

    assert complaint.startswith(f"[[notify]] #1 (page): {says}")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.example.org",
        "ftp://example.org/",
        "https://",
        "https:///x",
        "https://a:b@example.org/",
        "https://example.org:port/",
        "https://example.org:0/",
        "https://exam ple.org/",
        "https://ex\u00e4mple.org/",
        "https://a..b/",
        f"https://{'a' * 64}.org/",
        f"https://example.org/{'a' * 2000}",
        "https://[::1/",
        7,
    ],
)
def test_a_webhook_is_a_url_without_a_password(url):
    [complaint] = complaints({**POST, "webhook": url})

    assert 'must be a URL such as "https://hooks.example.org/autoscaler"' in complaint


def test_names_differ():
    [complaint] = complaints(HOOK, {**POST, "name": "page"})

    assert "another has this name already" in complaint


@pytest.mark.parametrize("tables", ["x", {"name": "x"}, 7])
def test_what_is_no_list_of_tables_is_told(tables):
    _, [problem] = read_notify(tables, FILE)

    assert "must be written as [[notify]] tables" in str(problem)


def test_what_is_no_table_is_told():
    assert complaints(7) == ["[[notify]] #1: must be a table"]


def test_the_path_of_a_webhook_is_shown_nowhere():
    """It is what lets anybody post, where chats are told."""
    text = HEAD + '[[notify]]\nname = "chat"\nevents = ["level:error"]\nwebhook = '
    old = parse_settings(text + '"https://chat.example.org/T00/hush"', FILE)
    new = parse_settings(text + '"https://chat.example.org:8443/T00/hush"', FILE)

    [change] = changes(old, new)

    assert str(change) == (
        "notify chat: webhook: https://chat.example.org/... -> "
        "https://chat.example.org:8443/..."
    )
    assert "hush" not in repr(new)


def test_a_reload_follows_who_is_told():
    text = HEAD + '[[notify]]\nname = "chat"\nevents = ["level:error"]\non_event = "x"'
    with_it, without = parse_settings(text, FILE), parse_settings(HEAD, FILE)

    assert [str(each) for each in changes(without, with_it)] == ["notify chat: added"]
    [gone] = changes(with_it, without)
    assert str(gone) == "notify chat: removed: nobody is told there"
    assert not gone.needs_restart


def test_all_tables_are_read_with_the_rest():
    with pytest.raises(SettingsError, match="did you mean primary_lost"):
        parse_settings(
            HEAD + '[[notify]]\nname="a"\nevents=["primary_los"]\non_event="x"', FILE
        )


@pytest.mark.parametrize(
    ("url", "is_doubtful"),
    [
        ("https://example.org/x", False),
        ("http://example.org/x", True),
        ("http://127.0.0.1:9000/x", False),
        ("http://[::1]:9000/x", False),
        ("http://localhost:9000/x", False),
        ("http://192.0.2.1/x", True),
    ],
)
def test_a_webhook_that_others_can_read_is_hinted_at(url, is_doubtful):
    settings = NotifySettings(name="x", events=("level:error",), webhook=Url(url))

    assert [key for key, _ in doubts(settings)] == ["webhook"] * is_doubtful
