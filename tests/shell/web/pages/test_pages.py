"""Pages of a daemon whose groups are in all kinds of trouble."""

import re
import zlib
from html.parser import HTMLParser

import pytest
import trio
from attrs import evolve

from albatross_client.sandbox.faults import HostDown, Silenced
from autoscaler.core.decision import Reason
from autoscaler.shell.state.mortems import ConsoleText, PostMortem
from autoscaler.shell.web.pages.card import anchor
from autoscaler.shell.web.pages.routes import LONGEST_SOUGHT
from tests.shell.harness import wait_until
from tests.shell.web.pages.asking import ask, ask_in_pieces
from tests.shell.web.pages.museum import (
    AT_MAX,
    COOLDOWN,
    DOWN,
    GROWING,
    LOAD_AT,
    NO_CAPACITY,
    NO_DATA,
    OBSERVED,
    PAUSED,
    STEADY,
    crowd,
    open_museum,
)

# As much of a page is on its first screen: what needs a person, and one row.
FIRST_CARDS = 3


class Reader(HTMLParser):
    """Reads text and addresses as a browser would, and balances elements."""

    VOID = frozenset({"meta", "link", "img", "input", "path", "br", "hr"})

    def __init__(self, html):
        super().__init__()
        self.open, self.texts, self.tags = [], [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())


def cards(html):
    """Return the text of each card by its name, in their order."""
    parts = re.findall(r"<article .*?</article>", html, re.DOTALL)
    names = re.findall(r'<article [^>]*data-name="([^"]*)"', html)
    return {name: Reader(part).text for name, part in zip(names, parts, strict=True)}


def first_screen(html):
    """Return the text before the cards, and that of the first of them."""
    top = Reader(f"{html.partition('<form')[0]}</main></body></html>").text
    return " ".join([top, *list(cards(html).values())[:FIRST_CARDS]])


@pytest.fixture
async def steady(autojump_clock, nursery, tmp_path):
    museum = await open_museum(nursery, (STEADY,), tmp_path)
    await trio.sleep(120)
    return museum


async def show(museum, path="/"):
    answer = await ask(museum.pages, path)
    assert answer.status == 200
    assert Reader(answer.text).open == []
    return answer.text


@pytest.mark.parametrize(
    ("exhibit", "says"),
    [
        pytest.param(COOLDOWN, "the last change is too young", id="cooldown"),
        pytest.param(AT_MAX, "max_clones is reached (1 of 1)", id="at_max"),
        pytest.param(
            NO_CAPACITY,
            "a clone needs 1 of unikernels, and 2 of 2 are taken in the policy of",
            id="no_capacity",
        ),
        pytest.param(NO_DATA, "0 members report, and 1 is needed", id="no_data"),
    ],
)
async def test_the_first_screen_names_why_nothing_happens(
    autojump_clock, nursery, tmp_path, exhibit, says
):
    """Of twelve groups one is loaded, and nothing is done about it."""
    museum = await open_museum(nursery, (*crowd(12), exhibit), tmp_path)
    await trio.sleep(LOAD_AT - 20)
    if exhibit is NO_DATA:
        museum.world.live.strike(Silenced(NO_DATA.name))

    reason = Reason(exhibit.name.label.replace("-", "_"))
    await wait_until(lambda: museum.reason(exhibit) is reason, within=LOAD_AT)
    await trio.sleep(2)
    html = await show(museum)

    assert says in first_screen(html)
    assert next(iter(cards(html))) == str(exhibit.id)


async def test_what_needs_a_person_comes_first(autojump_clock, nursery, tmp_path):
    exhibits = (STEADY, AT_MAX, GROWING, PAUSED, DOWN)
    museum = await open_museum(nursery, exhibits, tmp_path)
    await trio.sleep(LOAD_AT)
    calm = await show(museum)

    museum.beta.strike(HostDown(100_000.0))
    await trio.sleep(300)
    html = await show(museum)

    assert "Nothing needs a person" in calm
    assert "2 things need a person" in html
    assert list(cards(html))[:2] == ["beta/user:down", "alpha/user:at-max"]
    assert "no statistics of user: from beta" in first_screen(html)
    assert "streams up 1 of 2" in first_screen(html)


async def test_a_card_tells_why_and_what_is_missing_and_draws_it(
    autojump_clock, steady
):
    html = await show(steady)

    card = cards(html)["alpha/user:web"]
    assert "hold: steady" in card
    assert "call for no change" in card
    assert "to grow: the mean of those who report is" in card
    assert "wants 0 can 4 has 0 clones" in card
    assert "web 60 %" in card
    assert '<path class="m m0" d="M' in html
    assert '<a href="/groups/alpha/user:web">' in html


async def test_what_is_only_observed_is_blocked_by_that(
    autojump_clock, nursery, tmp_path
):
    museum = await open_museum(nursery, (STEADY, OBSERVED), tmp_path)
    await wait_until(lambda: museum.reason(OBSERVED) is Reason.HIGH, within=1000)
    await trio.sleep(2)

    card = cards(await show(museum))[str(OBSERVED.id)]

    assert "would go up: high" in card
    assert "blocked by mode observe" in card
    assert "blocked by high" not in card


async def test_there_is_a_table_beside_each_chart(autojump_clock, steady):
    html = await show(steady)

    tables = re.findall(r"<details.*?</details>", html, re.DOTALL)
    assert len(tables) == html.count('<svg class="chart"') == 1
    assert '<tr><th scope="row">0</th><td>60</td><td>1</td></tr>' in tables[0]


async def test_nothing_in_a_page_needs_more_than_its_policy_allows(
    autojump_clock, steady
):
    for path in ("/", "/groups/alpha/user:web"):
        answer = await ask(steady.pages, path)

        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        for tag, attributes in Reader(answer.text).tags:
            assert "style" not in attributes
            assert not [name for name in attributes if name.startswith("on")]
            assert tag != "style"
            assert tag != "script" or attributes["src"].startswith("/static/")
            for name in ("src", "href", "action"):
                assert not attributes.get(name, "/").startswith(("http", "//", "data:"))


async def test_what_others_have_named_is_text_alone(autojump_clock, steady):
    fleet = steady.world.daemon.fleet
    [group_id] = fleet.groups
    evil = '<script>alert("x")</script>&\'\ud800'
    group, newest = fleet.groups[group_id], fleet.records[group_id][-1]
    decision = evolve(
        newest.decision, reason=Reason.OPERATOR, evidence=evil, barred=None
    )
    fleet.groups[group_id] = evolve(group, decision=decision)
    fleet.records[group_id].append(evolve(newest, decision=decision, at=newest.at + 1))
    steady.pages.chronicle.look()

    for path in ("/", "/groups/alpha/user:web", f"/?q={evil[:20]}"):
        answer = await ask(steady.pages, path)

        tags = [tag for tag, _ in Reader(answer.text).tags]
        assert tags.count("script") == 1
        assert "alert(" not in answer.text or "&lt;script&gt;" in answer.text


async def test_a_name_is_sought_by_the_server_too(autojump_clock, nursery, tmp_path):
    museum = await open_museum(nursery, crowd(12), tmp_path)
    await trio.sleep(60)

    html = await show(museum, "/?q=SERVICE01")
    nothing = await show(museum, f"/?q={'x' * LONGEST_SOUGHT}")
    too_much = await ask(museum.pages, f"/?q={'x' * (LONGEST_SOUGHT + 1)}")

    assert list(cards(html)) == ["alpha/user:service010", "alpha/user:service011"]
    assert "2 of 12 groups" in html
    assert "No group has" in nothing
    assert too_much.status == 400


async def test_a_group_s_page_tells_all_of_it(autojump_clock, nursery, tmp_path):
    museum = await open_museum(nursery, (STEADY, AT_MAX), tmp_path)
    await trio.sleep(LOAD_AT + 300)

    text = Reader(await show(museum, f"/groups/{anchor(AT_MAX.id)}")).text

    assert "user:at-max-clone-1 fresh" in text
    assert "max clones up" in text
    assert "rule create user:at-max-clone-1 done" in text
    assert "max_clones 1" in text
    assert "scale_up_threshold_percent 90" in text


async def test_a_group_s_page_tells_what_was_known_of_clones_that_are_gone(
    autojump_clock, steady
):
    died = PostMortem(
        group=STEADY.id,
        name=STEADY.id.clone(1),
        at=1_800_000_000.0,
        why="died",
        usage=99.8,
        stats={"cpu_us": 17_470_000},
        info='{"argv": ["--motd=<b>"]}',
        console=(ConsoleText(1_800_000_000.0, "out of <memory>"),),
    )
    await steady.world.store.bury(died)

    html = await show(steady, f"/groups/{anchor(STEADY.id)}")

    reader = Reader(html)
    assert reader.open == []
    assert "user:web-clone-1 died: silent and no longer listed" in reader.text
    assert "CPU time 17.47 s" in reader.text
    assert "arguments '--motd=<b>'" in reader.text
    assert "out of <memory>" in reader.text
    assert "No clone of this group" not in reader.text


async def test_a_group_that_isn_t_there_has_no_page(autojump_clock, steady):
    for path in ("/groups/alpha/user:api", "/groups/x", "/live?group=x/y"):
        answer = await ask(steady.pages, path)

        assert answer.status == 404
        assert "unknown group" in answer.text


async def test_pages_are_packed_for_who_unpacks(autojump_clock, steady):
    plain = await ask(steady.pages, "/")
    packed = await ask(steady.pages, "/", accept_encoding="br, gzip;q=0.5")
    refused = await ask(steady.pages, "/", accept_encoding="gzip;q=0")

    assert packed.headers["content-encoding"] == "gzip"
    assert packed.size < plain.size / 2
    assert "content-encoding" not in refused.headers
    assert {a.headers["vary"] for a in (plain, packed)} == {"Accept-Encoding"}
    assert Reader(packed.text).open == []


async def test_the_first_screen_is_there_before_the_last_card_is_made(
    autojump_clock, nursery, tmp_path
):
    museum = await open_museum(nursery, crowd(60), tmp_path)
    await trio.sleep(30)
    shown: list[int] = []
    unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS)

    def take(packed):
        shown.append(unpacker.decompress(packed).count(b"</article>"))

    await ask_in_pieces(museum.pages, "/", take, accept_encoding="gzip")

    assert sum(shown) == 60
    assert [sum(shown[:pieces]) for pieces in (1, 2, 3, 4)] == [0, 5, 10, 15]


async def test_style_and_script_may_be_kept_for_ever(autojump_clock, steady):
    html = await show(steady)
    [style] = re.findall(r'href="(/static/page[^"]*css)"', html)
    [script] = re.findall(r'src="(/static/page[^"]*js)"', html)

    for path in (style, script):
        answer = await ask(steady.pages, path, accept_encoding="gzip")

        assert answer.status == 200
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["content-encoding"] == "gzip"
    assert (await ask(steady.pages, "/static/page.0.css")).status == 404
    assert (await ask(steady.pages, "/static/..%2fpaint.py")).status == 404


async def test_a_card_is_made_once_until_something_changes(autojump_clock, steady):
    gallery = steady.pages._gallery  # noqa: SLF001 - nobody else sees it
    [group_id] = steady.world.daemon.fleet.groups

    first = gallery.card(group_id)
    same = gallery.card(group_id)
    await trio.sleep(20)
    later = gallery.card(group_id)

    assert same is first
    assert later is not first


async def test_groups_that_go_are_gone_from_the_page(autojump_clock, nursery, tmp_path):
    museum = await open_museum(nursery, crowd(3), tmp_path)
    await trio.sleep(60)
    before = await show(museum)

    museum.world.daemon.fleet.remove(STEADY.id)
    await trio.sleep(2)
    after = await show(museum)

    assert len(cards(before)) == 3
    assert set(cards(after)) == {"alpha/user:service001", "alpha/user:service002"}
