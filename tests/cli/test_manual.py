"""Manual pages, as roff reads them."""

import re
import shutil
import subprocess

import pytest

from albatross_client.cli.main import whole_parser as albatrossctl
from autoscaler.cli.main import COMMANDS
from autoscaler.cli.main import whole_parser as autoscaler
from autoscaler.cli.manual import main, page

PAGES = {"autoscaler": autoscaler, "albatrossctl": albatrossctl}


@pytest.fixture
def roff():
    if shutil.which("man") is None:
        pytest.skip("man is not installed: apt-get install man-db")

    def read(file, *options):
        return subprocess.run(  # noqa: S603 - a file of ours
            ["man", *options, "-l", str(file)],  # noqa: S607 - where it is differs
            capture_output=True,
            text=True,
            check=True,
            env={"PATH": "/usr/bin:/bin", "MANWIDTH": "90", "LC_ALL": "C.UTF-8"},
        )

    return read


def test_both_commands_have_a_page_with_all_that_they_do(tmp_path, roff):
    main(tmp_path / "man")

    shown = roff(tmp_path / "man" / "autoscaler.1").stdout
    other = roff(tmp_path / "man" / "albatrossctl.1").stdout

    for name in COMMANDS:
        assert re.search(rf"^   {name}$", shown, re.MULTILINE)
    for words in ("--at TIME", "autoscaler explain user:web --at 14:30 --config FILE"):
        assert words in shown
    assert re.search(r"EXIT STATUS\n       0      it went well\n", shown)
    assert re.search(r"^ +130    interrupted", shown, re.MULTILINE)
    assert "albatrossctl(1)" in shown
    assert re.search(r"^   block dump$", other, re.MULTILINE)
    assert "--net NAME[:BRIDGE[:MAC]]" in other


@pytest.mark.parametrize("program", PAGES)
def test_roff_has_nothing_to_complain_of(tmp_path, roff, program):
    main(tmp_path)

    said = roff(tmp_path / f"{program}.1", "--warnings", "-Tutf8", "-Z").stderr

    assert said == ""


def test_no_text_is_an_instruction_to_roff(tmp_path, roff):
    parser = autoscaler()
    parser.description = ".so /etc/passwd\n\n'\\f(CB back\\slash - and `quoted'"
    file = tmp_path / "autoscaler.1"
    file.write_text(page(parser, []))

    shown = roff(file).stdout

    assert ".so /etc/passwd" in shown
    assert "'\\f(CB back\\slash - and `quoted'" in shown


def test_pages_are_the_same_however_wide_the_terminal_is(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    narrow = page(autoscaler(), [])
    monkeypatch.setenv("COLUMNS", "200")

    assert page(autoscaler(), []) == narrow
