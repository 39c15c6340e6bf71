import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.cli.screen.keyboard import Key, KeyReader


def keys(*parts: bytes):
    reader = KeyReader()
    found = [key for part in parts for key in reader.feed(part)]
    return [*found, *reader.flush()]


@pytest.mark.parametrize(
    ("sent", "key"),
    [
        pytest.param(b"\x1b[A", Key.UP, id="up"),
        pytest.param(b"\x1bOA", Key.UP, id="up, application mode"),
        pytest.param(b"\x1b[B", Key.DOWN, id="down"),
        pytest.param(b"\x1b[5~", Key.PAGE_UP, id="page up"),
        pytest.param(b"\x1b[6~", Key.PAGE_DOWN, id="page down"),
        pytest.param(b"\x1b[H", Key.HOME, id="home of xterm"),
        pytest.param(b"\x1b[1~", Key.HOME, id="home of the console"),
        pytest.param(b"\x1b[F", Key.END, id="end of xterm"),
        pytest.param(b"\x1b[8~", Key.END, id="end of rxvt"),
        pytest.param(b"\x1b", Key.ESCAPE, id="escape"),
        pytest.param(b"\r", Key.ENTER, id="enter"),
        pytest.param(b"\x0c", Key.REDRAW, id="control L"),
        pytest.param(b"q", "q", id="a letter"),
    ],
)
def test_what_terminals_send_is_a_key(sent, key):
    assert keys(sent) == [key]


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"\x1b[1;5C", id="control and right"),
        pytest.param(b"\x1b[200~", id="the begin of a paste"),
        pytest.param(b"\x1bq", id="a letter with Alt"),
        pytest.param(b"\x00", id="control and space"),
        pytest.param("é".encode(), id="a letter of two bytes"),
    ],
)
def test_what_is_no_key_of_ours_is_swallowed_whole(sent):
    assert keys(sent + b"p") == ["p"]


def test_an_escape_is_one_only_when_nothing_follows():
    reader = KeyReader()

    assert reader.feed(b"\x1b") == ()
    assert reader.feed(b"[A") == (Key.UP,)
    assert reader.flush() == ()


def test_two_escapes_are_two():
    assert keys(b"\x1b\x1b") == [Key.ESCAPE, Key.ESCAPE]


def test_a_sequence_without_an_end_is_not_kept_for_ever():
    reader = KeyReader()
    for _ in range(1000):
        reader.feed(b"\x1b[" + b"1" * 100)

    assert len(reader.pending) < 100


SENT = st.lists(
    st.sampled_from([b"\x1b[A", b"\x1b[5~", b"\x1bOF", b"q", b"\r", b"\x1b[1;2C"])
)


@given(SENT, st.lists(st.integers(1, 5)))
def test_keys_survive_any_cut(sent, cuts):
    whole = b"".join(sent)
    parts, rest = [], whole
    for cut in cuts:
        parts.append(rest[:cut])
        rest = rest[cut:]

    assert keys(*parts, rest) == keys(whole)
