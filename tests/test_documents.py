"""Pages for people: their links lead somewhere, and none is forgotten."""

import re
from pathlib import Path

import pytest

from albatross_client.cli.main import main as albatrossctl
from autoscaler.cli.main import COMMANDS

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(
    page for folder in (ROOT, DOCS, ROOT / "tests") for page in folder.glob("*.md")
)
# A newcomer reads it to the end.
MOST_LINES = 155


def links(page):
    return re.findall(r"\]\(([^)\s]+)\)", page.read_text())


def anchors(page):
    """Return what links may lead to within *page*, as forges name headings."""
    titles = re.findall(r"(?m)^#+ (.+)$", page.read_text())
    return {re.sub(r"[^\w -]", "", t).lower().replace(" ", "-") for t in titles}


@pytest.mark.parametrize(
    "page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES]
)
def test_every_link_leads_somewhere(page):
    dead = []
    for link in links(page):
        if re.match(r"https?://", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            dead.append(link)

    assert dead == []


def test_the_index_names_every_page():
    named = {link for link in links(DOCS / "README.md") if "/" not in link}

    assert named == {page.name for page in DOCS.glob("*.md")} - {"README.md"}


def test_the_readme_is_short_enough_to_be_read():
    assert len((ROOT / "README.md").read_text().splitlines()) <= MOST_LINES


def test_pages_tell_of_commands_that_there_are(capsys):
    text = "\n".join(page.read_text() for page in (ROOT / "README.md", *DOCS.iterdir()))
    told = set(re.findall(r"(?m)(?:`|^ {4}\S*/?|-- )autoscaler ([a-z]+)\b", text))

    assert told
    assert told <= {*COMMANDS}


def test_pages_tell_of_commands_of_albatrossctl_that_there_are(capsys):
    page = (DOCS / "albatrossctl.md").read_text()

    for command in re.findall(r"`albatrossctl ([a-z]+)", page):
        with pytest.raises(SystemExit) as ended:
            albatrossctl([command, "--help"])
        assert ended.value.code == 0
