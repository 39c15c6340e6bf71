"""What hosts and tenants may say, wherever it ends up.

Names aside, which are checked when they are read, every text of theirs is
free: failures, arguments, bridges, devices, lines of consoles.
"""

import contextlib
import io
import json
import re

import pytest
import trio
from attrs import define, evolve
from hypothesis import given
from hypothesis import strategies as st

from albatross_client.cli import show
from albatross_client.cli.output import print_complaint, print_text
from albatross_client.cli.output import print_json as ctl_print_json
from albatross_client.errors import CommandRefusedError
from albatross_client.names import Name
from albatross_client.replies import ConsoleLine
from albatross_client.values import (
    BlockInfo,
    Info,
    InterfaceInfo,
    ResourcePolicy,
    Timestamp,
)
from autoscaler.cli.output import complain, print_json, print_table
from autoscaler.core.decision import Decision, Reason, Shortage
from autoscaler.core.describe import explain
from autoscaler.core.numbers import fields
from autoscaler.core.policy import Policy
from autoscaler.shell.log import configure
from autoscaler.shell.state.records import from_json, to_json
from autoscaler.shell.state.store import Store
from tests.shell.harness import WEB, Wish, make_world, wait_until
from tests.shell.kept import creation, decision, snapshot

NASTY = (
    "\x1b[2J\x1b]0;owned\x07",
    "a\nlevel=error event=forged",
    'x" event="forged',
    "\u202egnp.exe\u2066\u2069",
    "\u2028\u2029\x85\x0b\x0c",
    "\x9b31m\x00\x7f\\",
    "\udcff\udc80",
    "=",
    "",
    "x" * 100_000,
)
texts = (
    st.sampled_from(NASTY)
    | st.text()
    | st.binary().map(lambda octets: octets.decode("utf-8", "surrogateescape"))
)
WHEN = Timestamp(0)
NAME = Name.parse("user:web")
LONGEST_LINE = 5000
_PAIR = r'[a-z_]+=(?:"(?:[^"\\]|\\.)*"|[^\s"=]*)'
LOGFMT = re.compile(rf"{_PAIR}(?: {_PAIR})*")


def written(*functions):
    """Return what *functions* print, on both outputs."""
    file = io.StringIO()
    with contextlib.redirect_stdout(file), contextlib.redirect_stderr(file):
        for each in functions:
            each()
    return file.getvalue()


def is_fit_for_a_terminal(output):
    return all(
        line.isprintable() and len(line) <= LONGEST_LINE for line in output.split("\n")
    )


def logged(kind, **values):
    file = io.StringIO()
    log = configure(kind, "debug", file)
    log.now = lambda: 0.0
    log.info("address_unknown", group="west/user:web", **values)
    return file.getvalue()


@given(texts, texts)
def test_a_log_line_has_the_keys_that_we_gave_it_and_no_others(one, other):
    line = logged("logfmt", error=one, name=other).removesuffix("\n")

    assert is_fit_for_a_terminal(line)
    assert "\n" not in line
    assert LOGFMT.fullmatch(line), line
    unquoted = re.sub(r'"(?:[^"\\]|\\.)*"', "", line)
    keys = re.findall(r"([a-z_]+)=", unquoted)
    assert keys == ["timestamp", "level", "event", "group", "error", "name"]


@given(texts)
def test_a_log_line_in_json_is_one_object_of_unicode(text):
    line = logged("json", error=text, name=text)

    said = json.loads(line)["error"]
    assert line.count("\n") == 1
    assert said.encode("utf-8").decode().isprintable()


@given(texts, st.lists(texts, max_size=3))
def test_tables_and_complaints_of_the_autoscaler_fit_a_terminal(text, cells):
    output = written(
        lambda: complain(text),
        lambda: print_table("Title", ("a", "b"), [(text, cell) for cell in cells]),
    )

    assert is_fit_for_a_terminal(output)


@given(texts)
def test_json_of_both_commands_is_unicode_on_ascii(text):
    for print_one in (print_json, ctl_print_json):
        output = written(lambda p=print_one: p({"text": text, text: [text]}))

        assert output.isascii()
        json.dumps(json.loads(output), ensure_ascii=False).encode("utf-8")


@given(st.lists(texts, max_size=3), texts, texts)
def test_what_albatrossctl_shows_fits_a_terminal(arguments, device, bridge):
    info = Info(
        argv=tuple(arguments),
        blocks=(BlockInfo(device, device, 512, 1),),
        interfaces=(InterfaceInfo(bridge, bridge, bytes(6)),),
    )
    policy = ResourcePolicy(bridges=frozenset({bridge}))

    output = written(
        lambda: print_text(show.table(show.INFO_HEADER, [show.info_row(NAME, info)])),
        lambda: print_text(
            show.table(show.POLICY_HEADER, [show.policy_row(NAME, policy)])
        ),
        lambda: print_complaint(device),
        lambda: ctl_print_json(show.info_json(NAME, info)),
    )

    assert all(line.isprintable() for line in output.split("\n"))
    json.loads(output.splitlines()[-1])


@given(st.binary(max_size=10_000) | texts.map(lambda t: t.encode("utf-8", "replace")))
def test_a_line_of_a_console_stays_one_line(octets):
    line = ConsoleLine(WHEN, octets)

    shown, said = show.console_text(line), json.dumps(show.console_json(line))

    assert shown.isprintable()
    assert len(shown) <= LONGEST_LINE
    json.loads(said)


def a_shortage(text):
    shortage = Shortage(Reason.NO_CAPACITY, text, 1, 2, 3)
    return evolve(decision(), reason=Reason.NO_CAPACITY, shortage=shortage)


@given(texts)
def test_a_decision_about_it_is_told_and_kept(text):
    made = a_shortage(text)

    kept = to_json(made)

    assert explain(made).isprintable()
    assert all(str(value).isprintable() for value in fields(made).values())
    assert kept.isascii()
    assert from_json(kept, Decision) == made


@pytest.mark.parametrize("text", NASTY)
async def test_an_outcome_with_it_is_kept(autojump_clock, text):
    action = creation(1)
    async with Store.in_memory() as store:
        await store.begin(snapshot(actions=(action,)), action)

        await store.end(snapshot(), action, "failed", text, 1.0)

        assert (await store.load()).snapshots == (snapshot(),)


@define
class Refusing:
    """A host that has *text* to say to every create."""

    client: object
    text: str

    def __getattr__(self, name):
        return getattr(self.client, name)

    async def create(self, *_):
        await trio.lowlevel.checkpoint()
        raise CommandRefusedError(self.text)


@pytest.mark.parametrize("text", NASTY)
async def test_a_daemon_lives_on_after_a_refusal_in_any_words(
    autojump_clock, nursery, text
):
    wish = Wish(policy=Policy(max_clones=1, min_clones=1))
    machine = evolve(wish.machine, through=lambda client: Refusing(client, text))
    world = await make_world(nursery, evolve(wish, machine=machine))

    await wait_until(lambda: len(world.events("action_finished")) > 1, 300)

    for _, said in world.log:
        assert all(str(value).isprintable() for value in said.values())
        assert all(len(str(value)) <= 500 for value in said.values())
    assert world.group.id.name == WEB
