"""What operators may ask, and how they are told that they may not."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from albatross_client.names import Name
from autoscaler.core.group import GroupId
from autoscaler.shell.operators.requests import (
    VERBS,
    Reply,
    Request,
    RequestError,
    find_clone,
    find_groups,
    find_record,
    read_reply,
    read_request,
    write_reply,
    write_request,
)
from tests.shell.kept import record

WEST_WEB = GroupId("west", Name.parse("user:web"))
EAST_WEB = GroupId("east", Name.parse("user:web"))
WEST_API = GroupId("west", Name.parse("user:api"))
GROUPS = (WEST_WEB, EAST_WEB, WEST_API)

words = st.text(max_size=20)
requests = st.sampled_from(sorted(VERBS)).flatmap(
    lambda verb: st.builds(
        Request,
        st.just(verb),
        st.fixed_dictionaries(
            dict.fromkeys(sorted(VERBS[verb].needs), words),
            optional=dict.fromkeys(sorted(VERBS[verb].may), words),
        ),
    )
)
replies = st.builds(
    Reply,
    st.lists(words, max_size=3).map(tuple),
    st.booleans(),
    st.lists(st.dictionaries(words, words, max_size=3), max_size=3).map(tuple),
)


@given(requests)
def test_a_request_that_may_be_asked_reads_back_as_it_was(request):
    line = write_request(request)

    assert line.count(b"\n") == 1
    assert read_request(line) == request


@given(replies)
def test_a_reply_reads_back_as_it_was(reply):
    line = write_reply(reply)

    assert line.count(b"\n") == 1
    assert read_reply(line) == reply


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        pytest.param(b"", "one line of JSON", id="nothing"),
        pytest.param(b"pause", "one line of JSON", id="no JSON"),
        pytest.param(b"\xff\xfe", "one line of JSON", id="no text"),
        pytest.param(b"[" * 4000, "one line of JSON", id="too deep"),
        pytest.param(b'"pause"', "must have a verb", id="no table"),
        pytest.param(b'{"group": "x"}', "must have a verb", id="no verb"),
        pytest.param(b'{"verb": 7}', "must have a verb", id="a number"),
        pytest.param(
            b'{"verb": "pose"}', "'pose': unknown verb; did you mean", id="misspelt"
        ),
        pytest.param(b'{"verb": "\\u001b[31m"}', r"'\\x1b[31m'", id="escapes"),
        pytest.param(
            b'{"verb": "pause", "goup": "x"}', "knows no 'goup'", id="unknown word"
        ),
        pytest.param(b'{"verb": "ping", "name": "x"}', "it knows: none", id="no word"),
        pytest.param(
            b'{"verb": "pause", "group": 7}', "group must be a text", id="a number"
        ),
        pytest.param(b'{"verb": "adopt"}', "adopt needs a name", id="a word missing"),
        pytest.param(
            b'{"verb": "destroy_stranded", "name": "x"}',
            "needs a host",
            id="one of two",
        ),
    ],
)
def test_what_can_not_be_obeyed_is_refused_with_one_sentence(line, complaint):
    with pytest.raises(RequestError) as caught:
        read_request(line)

    assert complaint in str(caught.value)
    assert str(caught.value).isprintable()


@given(st.binary(max_size=200) | st.recursive(words, st.lists).map(json.dumps))
def test_whatever_comes_in_is_a_request_or_refused(line):
    line = line if isinstance(line, bytes) else line.encode()

    try:
        request = read_request(line)
    except RequestError:
        return
    assert request.verb in VERBS


@pytest.mark.parametrize("line", [b"", b"7", b"{}", b'{"ok": 1, "said": 7}', b"[]"])
def test_what_is_no_reply_is_a_value_error(line):
    with pytest.raises(ValueError, match="no daemon of this version"):
        read_reply(line)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param(None, GROUPS, id="all"),
        pytest.param("user:api", (WEST_API,), id="the only one of that name"),
        pytest.param("west/user:web", (WEST_WEB,), id="with its host"),
    ],
)
def test_a_group_is_found_by_what_tells_it_from_the_others(text, found):
    assert find_groups(GROUPS, text) == found


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param("user:wbe", "did you mean", id="misspelt"),
        pytest.param("user:web", "may be of east, west: say which", id="ambiguous"),
    ],
)
def test_a_group_that_can_not_be_found_is_refused(text, complaint):
    with pytest.raises(RequestError, match=complaint):
        find_groups(GROUPS, text)


def test_a_clone_is_found_by_its_groups_primary_with_or_without_a_host():
    api_clone = Name.parse("user:api-clone-3")
    web_clone = Name.parse("user:web-clone-1")

    assert find_clone(GROUPS, "user:api-clone-3") == (WEST_API, api_clone)
    assert find_clone(GROUPS, "east/user:web-clone-1") == (EAST_WEB, web_clone)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param("user:web", "named like no clone", id="a primary"),
        pytest.param("user:shop-clone-1", "named like no clone", id="of no group"),
        pytest.param("north/user:web-clone-1", "named like no clone", id="of no host"),
        pytest.param("user:web-clone-1", "east, west: say which", id="ambiguous"),
        pytest.param("user:we b", "is no name of a unikernel", id="no name"),
    ],
)
def test_a_clone_that_can_not_be_found_is_refused(text, complaint):
    with pytest.raises(RequestError, match=complaint):
        find_clone(GROUPS, text)


@pytest.mark.parametrize(
    ("at", "found"),
    [
        pytest.param(None, 2, id="the newest"),
        pytest.param("200.5", 1, id="what held then"),
        pytest.param("200", 1, id="just then"),
        pytest.param("99.9", None, id="before all that is kept"),
        pytest.param("nan", None, id="no time at all"),
    ],
)
def test_the_record_of_a_time_is_the_last_one_before(at, found):
    kept = [record(100.0), record(200.0), record(300.0)]

    expected = None if found is None else kept[found]
    assert find_record(kept, at) is expected


def test_what_is_no_time_is_refused():
    with pytest.raises(RequestError, match="must be seconds since 1970, not 'noon'"):
        find_record([], "noon")
