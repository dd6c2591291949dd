"""The page of a large report as an evaluator uses it, opened from a file in a real Chromium."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from eval.report.page import render_report
from tests.browser.conftest import OpenPage
from tests.support.synthetic_report import HOSTILE, VERDICTS, large_report, question, run_report

pytestmark = pytest.mark.browser

QUESTIONS = 1_000


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("report") / "report.html"
    file.write_text(render_report(large_report(QUESTIONS)), encoding="utf-8")
    return file.as_uri()


def test_questions_are_filtered_searched_and_opened(address: str, open_page: OpenPage) -> None:
    page = open_page(address)
    shown, rows = page.locator("#shown"), page.locator(".question:visible")
    expect(shown).to_have_text("1,000 questions")
    assert page.locator(".body").count() == 0

    page.select_option("[name=verdict]", "wrong")
    expect(shown).to_have_text("167 of 1,000 questions")
    page.select_option("[name=blame]", "retrieval")
    expect(shown).to_have_text("167 of 1,000 questions")
    page.select_option("[name=tag]", label="tag-2")
    expect(shown).to_have_text("34 of 1,000 questions")
    page.select_option("[name=suite]", label="suites/ferry.yaml")
    expect(shown).to_have_text("0 of 1,000 questions")
    page.get_by_role("button", name="Show all").click()
    expect(shown).to_have_text("1,000 questions")
    page.get_by_label("failures only").check()
    expect(shown).to_have_text("666 of 1,000 questions")

    page.fill("[name=words]", "PIER  Number 734")
    expect(rows).to_have_count(1)
    rows.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(rows.locator(".body .reply")).to_contain_text("It leaves at 5:55, ferry number 734")
    page.get_by_role("button", name="Collapse all").click()
    expect(rows.locator(".body")).to_be_hidden()
    page.get_by_role("button", name="Expand all").click()
    expect(rows.locator(".body mark")).to_have_text("leaves Mui Wo at 5:55 am")
    assert page.locator(".body").count() == 1


def test_an_address_opens_its_question_or_footnote(address: str, open_page: OpenPage) -> None:
    page = open_page(address)
    page.evaluate("location.hash = 'q-question-800'")
    page.reload()
    row = page.locator("#q-question-800")
    expect(row.locator(".reply")).to_be_in_viewport()
    expect(row.locator("summary")).to_be_focused()
    assert page.locator(".body").count() == 1

    page.fill("[name=words]", "number 12")
    page.evaluate("location.hash = 'q-question-902~c1'")
    expect(page.locator(".footnotes li.pointed-at q")).to_be_in_viewport()
    expect(page.locator("#shown")).to_have_text("1,000 questions")


def test_what_is_open_is_printed(tmp_path: Path, open_page: OpenPage) -> None:
    (tmp_path / "small.html").write_text(render_report(large_report(12)), encoding="utf-8")
    page = open_page((tmp_path / "small.html").as_uri())
    page.locator("#q-question-2 summary").click()
    page.emulate_media(media="print")
    expect(page.locator("#q-question-2 .reply")).to_be_visible()
    expect(page.locator("#controls")).to_be_hidden()
    assert page.locator(".body:visible").count() == 1


def test_hostile_texts_do_nothing(tmp_path: Path, open_page: OpenPage) -> None:
    report = run_report([question(verdict, verdict, words=HOSTILE, tags=(HOSTILE,)) for verdict in VERDICTS])
    (tmp_path / "hostile.html").write_text(render_report(report, report), encoding="utf-8")
    page = open_page((tmp_path / "hostile.html").as_uri())
    page.click("[data-do=expand]")
    expect(page.locator(".body:visible")).to_have_count(len(VERDICTS))
    assert page.locator("img, iframe, script, [onload], [onerror]").count() == 1  # our own script
    assert HOSTILE in page.locator("#q-right .reply").inner_text()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(
    tmp_path: Path, open_page: OpenPage, theme: str, width: int
) -> None:
    now, before = large_report(12), large_report(14)
    before = before.model_copy(update={"questions": before.questions[1:] + before.questions[:1]})
    (tmp_path / "small.html").write_text(render_report(now, before), encoding="utf-8")
    page = open_page((tmp_path / "small.html").as_uri(), width=width, color_scheme=theme, reduced_motion="reduce")
    page.click("[data-do=expand]")
    page.eval_on_selector_all("details.more", "nodes => nodes.forEach((node) => { node.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    violations = Axe().run(page).response["violations"]
    assert [(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in violations] == []
