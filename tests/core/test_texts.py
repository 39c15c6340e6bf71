import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.core.texts import clean


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
