"""Names are read as hosts read them, and written in one form."""

import pytest
from hypothesis import given

from albatross_client.names import ROOT, Name, is_label
from tests.client import strategies as some


@pytest.mark.parametrize(
    ("text", "path", "label", "written"),
    [
        pytest.param(":", (), None, ":", id="root"),
        pytest.param("web", (), "web", ":web", id="label"),
        pytest.param(":web", (), "web", ":web", id="label-with-colon"),
        pytest.param("user:", ("user",), None, "user:", id="domain"),
        pytest.param(":user:", ("user",), None, "user:", id="domain-with-colon"),
        pytest.param("a:b:c", ("a", "b"), "c", "a:b:c", id="deep"),
        pytest.param("USER1:Web", ("user1",), "web", "user1:web", id="upper-case"),
        pytest.param("0:.:a-", ("0", "."), "a-", "0:.:a-", id="odd-characters"),
        pytest.param("x" * 63, (), "x" * 63, ":" + "x" * 63, id="longest"),
    ],
)
def test_a_name_is_read(text, path, label, written):
    name = Name.parse(text)

    assert (name.path, name.label) == (path, label)
    assert str(name) == written


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("::", id="two-colons"),
        pytest.param("a::b", id="empty-component"),
        pytest.param("::a", id="leading-colons"),
        pytest.param("-a", id="leading-dash"),
        pytest.param("a:-b", id="leading-dash-of-label"),
        pytest.param("a b", id="space"),
        pytest.param("a\n", id="newline"),
        pytest.param("a_b", id="underscore"),
        pytest.param("\u00fc", id="umlaut"),
        pytest.param("\u212a", id="kelvin-sign-whose-lower-case-is-k"),
        pytest.param("\u0661", id="arabic-digit"),
        pytest.param("x" * 64, id="too-long"),
    ],
)
def test_what_is_no_name_is_refused(text):
    with pytest.raises(ValueError, match="name"):
        Name.parse(text)


@given(some.names)
def test_a_name_is_read_back_from_its_text(name):
    assert Name.parse(str(name)) == name


def test_a_component_in_upper_case_is_no_part_of_a_name():
    with pytest.raises(ValueError, match="'Web' is not a label"):
        Name((), "Web")


def test_a_label_may_be_told_in_upper_case():
    assert is_label("Web")
    assert not is_label("\u212a")


def test_the_domain_of_a_name_is_its_path_alone():
    web = Name(("user",), "web")

    assert web.domain == Name(("user",))
    assert web.domain.domain == web.domain


def test_a_relative_name_becomes_absolute_below_the_path_that_was_asked():
    assert Name((), "web").under(Name(("user",))) == Name(("user",), "web")
    assert Name(("sub",), "web").under(Name(("a",))) == Name(("a", "sub"), "web")
    assert Name((), "web").under(ROOT) == Name((), "web")


def test_a_name_lies_within_its_own_domain_and_those_above():
    web = Name(("a", "b"), "web")

    assert web.is_within(ROOT)
    assert web.is_within(Name(("a",)))
    assert web.is_within(Name(("a", "b")))
    assert not web.is_within(Name(("b",)))
    assert not web.is_within(Name(("a", "b", "c")))


@pytest.mark.parametrize("text", ["\x7f" * 10_000, ":".join("a" * 5000) + "\n"])
def test_what_is_no_name_is_quoted_in_part_however_long_it_is(text):
    with pytest.raises(ValueError, match="is not a name") as caught:
        Name.parse(text)

    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 600
