"""The evaluator's page in Chromium: a run from its start to the repair of the suite entry that it shows to be wrong."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from bot.chatbot import Chatbot
from eval.desk.pages import build_pages
from tests.browser.conftest import OpenPage
from tests.browser.running import running

pytestmark = pytest.mark.browser

SUITE = """\
# Two questions about the seed document.
- id: who-replied
  question: "Who replied to the Legislative Council questions about innovation and technology institutions?"
  expect: [["moon dong"]]   # a slip of the pen
  evidence:
    - any_of:
        - {document_id: 000_22370086f0b82f53.txt, quote: "Professor Sun Dong, Secretary for Innovation"}
  tags: [fact]

- {id: captain, question: "Who is the captain of the ferry to Lamma?", answerable: false}
"""
RUN_MS = 400_000


def check(page: Page, state: str) -> None:
    """Expect that everybody can use the page as it is, at its width."""
    page.wait_for_selector("body[data-ready]")
    violations = Axe().run(page).response["violations"]
    assert [f"{state}: {one['id']}: {[node['html'][:200] for node in one['nodes']]}" for one in violations] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), state


def listen(page: Page) -> list[str]:
    """Return the list into which everything goes that is wrong with a page."""
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(f"script error: {error}"))
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    return said


def start(page: Page, name: str) -> None:
    """Start a run of the suite and wait on its page until the report is there."""
    page.fill("input[name=name]", name)
    page.select_option("select[name=answerer]", "extractive")
    page.click("button.main")
    expect(page.locator("h1")).to_have_text(name)
    check(page, f"{name} is running")
    expect(page.locator("#questions")).to_be_visible(timeout=RUN_MS)


@pytest.mark.timeout(1_000)
@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (390, "dark")])
def test_evaluator_runs_reads_fixes_and_compares(
    own_seed_data: Path,
    open_chatbot: Callable[[Path], Chatbot],
    open_page: OpenPage,
    width: int,
    theme: str,
) -> None:
    data = own_seed_data
    (data / "suites").mkdir()
    suite = data / "suites" / "two.yaml"
    suite.write_text(SUITE)
    chatbot = open_chatbot(data)
    with (
        closing(build_pages(chatbot)) as pages,
        running(chatbot, chatbot.settings.catalogue_url(), groups=[pages]) as origin,
    ):
        page = open_page(origin, width=width, color_scheme=theme, expect_faults=True)
        said = listen(page)
        page.goto(origin + pages.entrance)
        assert page.url == f"{origin}/evaluate"
        check(page, "nothing was run")
        page.check("input[name=suite][value='two.yaml']")
        start(page, "before")
        check(page, "report")

        page.locator(".question[data-failed] summary").first.click()
        expect(page.locator(".question[open] .reply")).to_contain_text("Sun Dong")
        page.get_by_role("link", name="Fix the suite entry").click()
        expect(page.locator("main .reply")).to_contain_text("Sun Dong")
        expect(page.locator(".passage").first).to_be_visible()
        check(page, "entry")
        text = page.locator("textarea").input_value()
        page.fill("textarea", text.replace("Secretary for Innovation", "Secretary for Inventions"))
        page.click("button.main")
        expect(page.locator("[role=alert]")).to_contain_text("evidence[0].any_of[0].quote")
        expect(page.locator("[role=alert]")).to_contain_text("line 6")
        check(page, "mistake")
        assert suite.read_text() == SUITE
        page.fill("textarea", text.replace("moon", "sun"))
        page.click("button.main")
        expect(page.locator("[role=status]")).to_contain_text("Saved")
        check(page, "saved")
        assert suite.read_text() == SUITE.replace("moon", "sun")

        page.get_by_role("link", name="Run the suite again").click()
        expect(page.locator("input[name=suite][value='two.yaml']")).to_be_checked()
        start(page, "after")
        page.get_by_role("link", name="All runs").click()
        expect(page.locator(".runs tbody tr")).to_have_count(2)
        check(page, "list")
        page.check("input[name=a][value=before]")
        page.check("input[name=b][value=after]")
        page.get_by_role("button", name="Compare A with B").click()
        expect(page.locator(".flip")).to_have_count(1)
        expect(page.locator(".flip")).to_contain_text("Newly right")
        check(page, "comparison")
        page.get_by_role("link", name="Open it in before").click()
        expect(page.locator(".question[open] .badge").first).to_have_text("Wrong")
    # The entry with a mistake was refused, and Chromium says so; nothing else may go wrong.
    assert [one for one in said if "422" not in one] == []
