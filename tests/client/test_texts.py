import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from albatross_client.texts import as_unicode, clean, escaped

# Bytes that are no UTF-8 come as lone surrogates.
foreign = st.text() | st.binary().map(lambda b: b.decode("utf-8", "surrogateescape"))


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        pytest.param("plain text, ä and ✓", "plain text, ä and ✓", id="plain"),
        pytest.param("a\nb\r\t\0", r"a\nb\r\t\x00", id="control characters"),
        pytest.param("\x1b[31m", r"\x1b[31m", id="a terminal's command"),
        pytest.param("\u202e", r"\u202e", id="text that runs backwards"),
        pytest.param("\ud800", r"\ud800", id="half a character"),
        pytest.param("x" * 10, "x" * 10, id="just short enough"),
        pytest.param("x" * 11, "x" * 7 + "...", id="too long"),
        pytest.param("\n" * 6, r"\n\n\n\..."[:10], id="too long once escaped"),
    ],
)
def test_foreign_text_becomes_one_short_printable_line(text, cleaned):
    longest = 10 if "x" * 10 in text or text == "\n" * 6 else 500

    assert clean(text, longest) == cleaned


@given(st.text(), st.integers(3, 50))
def test_whatever_comes_is_printable_and_bounded(text, longest):
    cleaned = clean(text, longest)

    assert cleaned.isprintable()
    assert len(cleaned) <= longest


@given(st.text())
def test_escapes_keep_what_is_printable(text):
    shown = escaped(text)

    assert shown.isprintable()
    assert not text.isprintable() or shown == text


json_values = st.recursive(
    st.none() | st.integers() | foreign,
    lambda inner: st.lists(inner) | st.dictionaries(foreign, inner),
)


@given(json_values)
def test_what_is_printed_as_json_is_unicode(value):
    written = json.dumps(as_unicode(value), ensure_ascii=False)

    assert json.loads(written.encode("utf-8")) == as_unicode(value)


def test_what_is_unicode_stays_as_it_is():
    value = {"é": ["✓", "\x1b\n", 1, None, True]}

    assert as_unicode(value) == value
    assert as_unicode("a\udcff") == "a\\udcff"
