"""The page in a real browser, of a real daemon that follows a sandbox host.

No time is virtual here: each of these takes some seconds.
"""

import contextlib
import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from attrs import define, field
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.chromium_fixture import needs_chromium

pytestmark = [needs_chromium, pytest.mark.slow]

MAIN = "from {} import main; raise SystemExit(main())"
CLONE = "web-clone-1"
LOAD_AT_S = 12
PATIENCE_MS = 40_000
CONFIGURATION = """
[deployment]
name = "browser"
state_dir = "state"
shutdown_timeout = "1s"
reconcile_interval = "2s"

[http]
listen = "127.0.0.1:{port}"

{groups}
"""
GROUP = """
[[groups]]
host = "sandbox"
primary = "user:{name}"
max_clones = 2
poll_interval = "0.5s"
scale_up_trigger_ticks = 2
cooldown_period = "1s"
warmup = "0.5s"
boot_timeout = "5s"
"""
NAMES = ("web", "api", "shop")


def process(module: str, *words: str, **options) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", MAIN.format(module), *words]
    return subprocess.Popen(command, text=True, **options)  # noqa: S603 - ours


@define
class Stage:
    """A host, and a daemon that can be ended and started again."""

    config: Path
    port: int
    daemon: "subprocess.Popen[str] | None" = None
    errors: list[str] = field(factory=list)

    def start(self) -> None:
        words = ("run", "--config", str(self.config), "--log-format", "json")
        with self.log.open("a") as log:
            self.daemon = process("autoscaler.cli", *words, stderr=log)

    @property
    def log(self) -> Path:
        return self.config.with_name("log")

    def heard_at(self, event: str) -> float:
        """Return when the daemon first logged *event*, ms since 1970."""
        lines = map(json.loads, self.log.read_text().splitlines())
        at = next(line["timestamp"] for line in lines if line["event"] == event)
        return datetime.fromisoformat(at).timestamp() * 1000

    def end(self) -> None:
        if self.daemon is not None:
            self.daemon.send_signal(signal.SIGTERM)
            self.daemon.wait(timeout=20)
            self.daemon = None

    def watch(self, page: Page) -> Page:
        """Remember all that *page* complains about."""
        page.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on(
            "console",
            lambda said: (
                self.errors.append(said.text)
                if said.type in {"error", "warning"}
                else None
            ),
        )
        return page

    def open(self, page: Page, path: str = "/") -> Page:
        """Return *page* once it shows *path*."""
        self.watch(page)
        for _ in range(PATIENCE_MS // 100):
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                break
            time.sleep(0.1)
        page.goto(f"http://127.0.0.1:{self.port}{path}")
        return page


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextlib.contextmanager
def sandbox(directory: Path) -> Iterator[str]:
    """Run a host, and give the table that a configuration needs to reach it."""
    words = ["sandbox", "--directory", str(directory), "--kind", "model"]
    words += ["--interval", "250ms"]
    words += ["--policy", "user=unikernels:20,memory:2000,cpuids:0-7"]
    for name in NAMES:
        words += ["--unikernel", f"user:{name}"]
    words += ["--demand", f"user:web=0:0.4,{LOAD_AT_S}:1.5"]
    words += ["--demand", "user:api=0.5", "--demand", "user:shop=9"]
    with process("albatross_client.cli", *words, stdout=subprocess.PIPE) as host:
        assert host.stdout is not None
        told = ""
        while "\nca_key " not in told:
            told += host.stdout.readline()
        yield told[told.index("[[hosts]]") :]
        host.terminate()


@pytest.fixture
def stage(tmp_path) -> Iterator[Stage]:
    port, config = free_port(), tmp_path / "autoscaler.toml"
    groups = "".join(GROUP.format(name=name) for name in NAMES)
    with sandbox(tmp_path / "keys") as table:
        config.write_text(CONFIGURATION.format(port=port, groups=groups) + table)
        running = Stage(config, port)
        running.start()
        yield running
        running.end()


def card(page: Page, name: str = "web"):
    return page.locator(f'article[data-name="sandbox/user:{name}"]')


def test_a_scale_up_is_seen_while_it_happens(stage, browser):
    page = stage.open(browser.new_page())
    expect(page.locator("#live")).to_have_text("live")
    page.evaluate("window.isTheSame = true")
    expect(card(page)).to_contain_text("hold: steady")
    # Somebody reads its table, and has the focus there.
    card(page).locator("summary").click()
    expect(card(page).locator("details")).to_have_attribute("open", "")

    expect(card(page).locator(".keys")).to_contain_text(CLONE)
    expect(card(page).locator(".mark title")).to_contain_text(f"create user:{CLONE}")
    expect(card(page).locator(".sizes")).to_contain_text(re.compile(r"has\s*1"))

    assert page.evaluate("window.isTheSame")
    expect(card(page).locator("details")).to_have_attribute("open", "")
    focused = page.evaluate(
        "[document.activeElement.localName,"
        " document.activeElement.closest('article')?.dataset.name]"
    )
    assert focused == ["summary", "sandbox/user:web"]
    assert stage.errors == []


def test_what_needs_a_person_moves_to_the_top(stage, browser):
    page = stage.open(browser.new_page())

    expect(page.locator("#verdict")).to_have_text("1 thing needs a person")
    expect(page.locator("article").first).to_have_attribute(
        "data-name", "sandbox/user:shop"
    )
    expect(page.locator(".fleet .needs")).to_contain_text("blocked by at max")
    assert "1 thing needs a person" in page.title()
    assert stage.errors == []


def test_a_restart_of_the_daemon_is_seen_and_survived(stage, browser):
    page = stage.open(browser.new_page())
    expect(card(page).locator(".keys")).to_contain_text(CLONE)
    page.evaluate("window.isTheSame = true")
    assert stage.errors == []

    stage.end()
    expect(page.locator("#live")).to_contain_text("not live: last heard at")
    stage.start()
    expect(page.locator("#live")).to_have_text("live")

    # The daemon's memory is new, that of its state is not.
    expect(card(page)).to_contain_text("hold: steady")
    expect(card(page).locator(".mark title")).to_contain_text(f"create user:{CLONE}")
    assert page.evaluate("window.isTheSame")
    # A browser itself says that nobody answered for a while.
    assert [e for e in stage.errors if "net::ERR" not in e] == []


def test_a_group_s_own_page_is_live_too(stage, browser):
    page = stage.open(browser.new_page(), "/groups/sandbox/user:web")
    expect(page.locator("#live")).to_have_text("live")
    page.locator("#configuration summary").click()

    expect(page.locator(".group .keys")).to_contain_text(CLONE)
    expect(page.locator("#past")).to_contain_text(f"create user:{CLONE}")

    expect(page.locator("#configuration")).to_contain_text("scale_up_trigger_ticks")
    assert page.locator("#configuration td", has_text="500ms").count() == 0
    assert stage.errors == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("path", ["/", "/groups/sandbox/user:shop"])
def test_axe_finds_nothing_that_keeps_people_out(stage, browser, scheme, width, path):
    context = browser.new_context(
        color_scheme=scheme, viewport={"width": width, "height": 900}
    )
    page = stage.open(context.new_page(), path)
    expect(page.locator("#live")).to_have_text("live")
    expect(page.locator("main")).to_contain_text("at max")
    for summary in page.locator("summary").all():
        summary.click()

    found = Axe().run(page)

    assert found.violations_count == 0, found.generate_report()
    # Nothing is cut off, and nobody has to scroll sideways.
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert stage.errors == []


def test_keys_alone_reach_all_of_it(stage, browser):
    page = stage.open(browser.new_page())
    expect(page.locator("#live")).to_have_text("live")

    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    card(page, "api").locator("summary").focus()
    page.keyboard.press("Enter")
    expect(card(page, "api").locator("table")).to_be_visible()
    card(page, "api").locator("h2 a").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/groups/sandbox/user:api")

    assert stage.errors == []


def test_names_are_sought_as_they_are_typed(stage, browser):
    page = stage.open(browser.new_page())
    expect(page.locator("#live")).to_have_text("live")

    page.get_by_label("Groups named").fill("SHO")

    expect(card(page, "shop")).to_be_visible()
    expect(card(page, "api")).to_be_hidden()
    expect(page.locator("#shown")).to_have_text("1 of 3 groups")
    # What comes anew is hidden too.
    page.wait_for_timeout(2500)
    expect(card(page, "api")).to_be_hidden()
    assert stage.errors == []


def test_all_of_it_is_there_without_a_script(stage, browser):
    context = browser.new_context(java_script_enabled=False)
    page = stage.open(context.new_page())
    page.wait_for_timeout(3000)
    page.reload()

    expect(page.locator("#live")).to_contain_text("as of ")
    expect(card(page, "api")).to_contain_text("hold: steady")
    expect(card(page, "api").locator("svg path.m")).to_have_count(1)
    card(page, "api").locator("summary").click()
    expect(card(page, "api").locator("td").first).to_have_text(re.compile(r"\d+"))
    page.get_by_label("Groups named").fill("api")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("article")).to_have_count(1)
    expect(page.locator("#shown")).to_contain_text("1 of 3 groups")


def test_a_change_is_shown_soon_after_the_daemon_s_own_line(
    stage, browser, record_property
):
    page = stage.open(browser.new_page())
    expect(page.locator("#live")).to_have_text("live")
    page.evaluate(
        """() => {
            new MutationObserver(() => {
                const card = document.getElementById("sandbox/user:shop");
                if (card?.querySelector(".mark")) window.shownAt ??= Date.now();
            }).observe(document.body, { subtree: true, childList: true });
        }"""
    )

    expect(card(page, "shop").locator(".mark")).to_have_count(2)
    behind = page.evaluate("window.shownAt") - stage.heard_at("action_finished")

    record_property("figure", f"an action is on the page {behind:.0f} ms after its end")
    # It is looked once a second, and a follower is told twice a second.
    assert behind < 2500
