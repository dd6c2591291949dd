"""The staff's desk in Chromium: from the first login to an approved answer that is withdrawn, and all of it by keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from bot.chatbot import Chatbot
from bot.operations.indexing import index_documents
from bot.settings import Settings
from bot.staff.accounts import Accounts
from bot.staff.review.queue import take
from bot.staff.review.verdicts import verdicts_of
from bot.staff.sessions import Sessions, session_limits
from bot.storage.answers import AnswerRecords, Origin
from bot.web.staff.staff_site import build_staff
from eval.suites.suite import load_suite
from tests.browser.conftest import OpenPage
from tests.browser.running import running
from tests.browser.test_desk import check

pytestmark = pytest.mark.browser

LOGIN = {"path": "/staff", "ready": "[name=password]"}
PASSWORD = "correct horse battery staple"
REPORT = """Harbour Office: Annual Report on the Ferry Service

The fare for adults is HK$8.20 on weekdays. Children under twelve travel at half fare on all days.

The fare for adults is HK$11.50 on Sundays and public holidays. The Old Pier was built in 1968.

In 2025 the Office will replace two of the five vessels. HK$180 million has been reserved for the purpose.
"""
QUESTION = "How much has been reserved to replace the vessels?"


@dataclass
class StaffDesk:
    """A served desk over an index of one document, which can be changed and indexed again."""

    origin: str
    records: AnswerRecords
    chatbot: Chatbot
    answer_id: str
    index: Callable[[str], None]
    suite: Path


@pytest.fixture
def serve_desk(open_chatbot: Callable[..., Chatbot], tmp_path: Path, database_url: str) -> Callable[[], object]:
    @contextmanager
    def serve() -> Iterator[StaffDesk]:
        settings = Settings(data_dir=tmp_path, database_url=database_url, answerer="extractive")
        folder = tmp_path / "documents"
        folder.mkdir()

        def index(text: str) -> None:
            (folder / "ferry.txt").write_text(text)
            index_documents([folder], settings, lambda *_: None)

        index(REPORT)
        chatbot = open_chatbot(tmp_path, database_url=database_url, refusal_threshold=0.0)
        with closing(AnswerRecords(database_url, sample=0.0)) as records:
            Accounts(records.engine).add("(test)", "anna", "staff", PASSWORD)
            traced = chatbot.trace(QUESTION)
            assert traced.answer.kind == "answer"
            records.record(traced.answer, Origin("page", "c", "v"), trace=traced.trace)
            records.rate(traced.answer, "v", "down", reason="incomplete", comment="For how many?")
            (staff,) = build_staff(chatbot.settings, chatbot, records)
            with running(chatbot, database_url, groups=[staff]) as origin:
                suite = tmp_path / "suites" / "staff.yaml"
                yield StaffDesk(origin, records, chatbot, traced.answer.id, index, suite)

    return serve


def check_quietly(page: Page, state: str) -> None:
    """Expect the same of a page without a script of its own."""
    page.evaluate("document.body.dataset.ready = ''")
    check(page, state)


def log_in(page: Page) -> None:
    page.fill("[name=name]", "anna")
    page.fill("[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector("body[data-ready]")


def select(page: Page, words: str) -> None:
    """Select words in the document as a reader does, across whatever elements they stand in."""
    page.evaluate(
        """words => {
            const paragraphs = [...document.querySelectorAll("#pane p[data-start]")];
            const paragraph = paragraphs.find(one => one.textContent.includes(words));
            const place = offset => {
                const walker = document.createTreeWalker(paragraph, NodeFilter.SHOW_TEXT);
                let node = walker.nextNode();
                for (; offset > node.length; node = walker.nextNode()) offset -= node.length;
                return [node, offset];
            };
            const start = paragraph.textContent.indexOf(words);
            const range = document.createRange();
            range.setStart(...place(start));
            range.setEnd(...place(start + words.length));
            getSelection().removeAllRanges();
            getSelection().addRange(range);
        }""",
        words,
    )


@pytest.mark.timeout(600)
def test_an_answer_on_its_way_over_the_desk(serve_desk: Callable[[], object], open_page: OpenPage) -> None:
    with serve_desk() as desk:
        page = open_page(desk.origin, **LOGIN, width=1280)
        log_in(page)
        check(page, "queue")
        expect(page.locator(".queue > li")).to_have_count(1)
        page.get_by_role("button", name="Take the next").click()
        page.wait_for_selector("body[data-ready]")
        expect(page.locator(".holding")).to_contain_text("You are checking this")
        expect(page.locator("#pane mark")).to_contain_text("HK$180 million")
        check(page, "answer")
        for part in page.locator("[data-part]:not(.whole)").all():
            part.locator("label", has_text="Supports it").click()
        page.locator(".whole label", has_text="Right").click()
        select(page, "replace two of the five vessels")
        page.click("#pick")
        expect(page.locator("#passages q")).to_have_text("replace two of the five vessels")
        page.fill("#comment", "It does not say how many vessels.")
        page.get_by_role("button", name="Save the verdict").click()
        expect(page.locator("p.saved")).to_contain_text("Your verdict is saved")
        page.wait_for_selector("body[data-ready]")
        check(page, "judged")
        (verdict,) = verdicts_of(desk.records.engine, desk.answer_id)
        assert set(verdict.assessment.citations.values()) == {"supports"}
        (passage,) = verdict.assessment.passages
        assert passage.span.of(REPORT) == "replace two of the five vessels"

        page.fill("[name=expect]", "180 million | 180,000,000")
        page.locator("#golden button").click()
        expect(page.locator("p.saved")).to_contain_text("golden question is saved")
        (question,) = load_suite(desk.suite).questions
        assert question.expect == (("180 million", "180,000,000"),)
        assert question.evidence[0].any_of[0].quote == "replace two of the five vessels"
        page.wait_for_selector("body[data-ready]")
        page.locator("#replay button").click()
        expect(page.locator("[role=status]")).to_contain_text("says the same")
        page.goto(f"{desk.origin}/staff/golden")
        expect(page.locator("tbody tr")).to_have_count(1)

        page.goto(f"{desk.origin}/staff/review/{desk.answer_id}")
        page.wait_for_selector("body[data-ready]")
        page.locator("#approve button").click()
        expect(page.locator("p.saved")).to_contain_text("The answer is approved")
        page.goto(f"{desk.origin}/staff/approved")
        expect(page.locator("tbody tr")).to_contain_text("Shown")
        desk.index(REPORT.replace("HK$180 million", "HK$210 million"))
        page.reload()
        expect(page.locator("tbody tr").last).to_contain_text("Withdrawn")
        expect(page.locator("del").first).to_contain_text("HK$180 million")
        expect(page.locator("ins").first).to_contain_text("HK$210 million")
        check_quietly(page, "task")
        page.goto(f"{desk.origin}/staff/review/{desk.answer_id}")
        expect(page.locator(".fate").first).to_contain_text("no longer in the document")
        page.goto(f"{desk.origin}/staff/approved")
        page.get_by_role("button", name="Done").click()
        expect(page.locator("#tasks")).to_have_count(0)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_all_of_it_by_keys(serve_desk: Callable[[], object], open_page: OpenPage) -> None:
    with serve_desk() as desk:
        page = open_page(desk.origin, **LOGIN, width=390, color_scheme="dark")
        log_in(page)
        check(page, "queue on a phone")
        page.keyboard.press("?")
        expect(page.locator("#keys")).to_be_visible()
        check(page, "keys")
        page.keyboard.press("Escape")
        page.keyboard.press("/")
        page.keyboard.type("zebra")
        page.keyboard.press("Enter")
        expect(page.locator(".queue")).to_have_count(0)
        page.wait_for_selector("body[data-ready]")
        page.keyboard.press("/")
        page.keyboard.press("Control+a")
        page.keyboard.type("reserved vessels")
        page.keyboard.press("Enter")
        expect(page.locator(".queue > li")).to_have_count(1)
        page.wait_for_selector("body[data-ready]")
        page.keyboard.press("j")
        page.keyboard.press("t")
        expect(page.locator(".holding")).to_contain_text("You are checking this")
        page.wait_for_selector("body[data-ready]")
        check(page, "answer on a phone")
        expect(page.locator("#pane")).to_be_hidden()
        page.locator("a[data-source]").first.click()
        expect(page.locator("#pane mark")).to_be_in_viewport()
        check(page, "document on a phone")
        page.locator(".unfold").click()
        expect(page.locator("#pane")).to_be_hidden()
        page.reload()
        page.wait_for_selector("body[data-ready]")
        for _ in page.locator("[data-part]:not(.whole)").all():
            page.keyboard.press("j")
            page.keyboard.press("2")
        page.keyboard.press("1")
        page.keyboard.press("c")
        page.keyboard.type("By keys: jk12")
        page.keyboard.press("Escape")
        page.keyboard.press("s")
        expect(page.locator("p.saved")).to_be_visible()
        (verdict,) = verdicts_of(desk.records.engine, desk.answer_id)
        assert (verdict.assessment.verdict, verdict.assessment.comment) == ("right", "By keys: jk12")
        assert set(verdict.assessment.citations.values()) == {"partly"}
        page.wait_for_selector("body[data-ready]")
        page.keyboard.press("w")
        expect(page.locator("#why .stages")).to_be_visible()
        check(page, "why")
        page.keyboard.press("r")
        expect(page.locator("[role=status]")).to_contain_text("says the same")
        page.go_back()
        page.wait_for_selector("body[data-ready]")
        page.keyboard.press("n")
        expect(page.locator(".hint")).to_contain_text("Nothing is left")


@pytest.mark.timeout(600)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_was_typed_is_not_lost_when_somebody_else_has_it(
    serve_desk: Callable[[], object], open_page: OpenPage
) -> None:
    with serve_desk() as desk:
        page = open_page(desk.origin, **LOGIN, expect_faults=True)
        log_in(page)
        page.goto(f"{desk.origin}/staff/review/{desk.answer_id}")
        page.wait_for_selector("body[data-ready]")
        page.locator(".whole label", has_text="Wrong").click()
        page.fill("#comment", "Long thoughts.")
        take(desk.records.engine, desk.answer_id, "ben")
        page.get_by_role("button", name="Save the verdict").click()
        expect(page.locator("#fault")).to_contain_text("ben works on this answer")
        expect(page.locator("#comment")).to_have_value("Long thoughts.")


@pytest.mark.timeout(600)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_was_typed_is_not_lost_when_a_form_is_refused(
    serve_desk: Callable[[], object], open_page: OpenPage
) -> None:
    with serve_desk() as desk:
        Accounts(desk.records.engine).set_role("(test)", "anna", "admin")
        page = open_page(desk.origin, **LOGIN, expect_faults=True)
        page.fill("[name=name]", "anna")
        page.fill("[name=password]", "a wrong password")
        page.keyboard.press("Enter")
        expect(page.locator(".fault")).to_be_visible()
        expect(page.locator("[name=name]")).to_have_value("anna")
        log_in(page)
        page.goto(f"{desk.origin}/staff/accounts")
        page.wait_for_selector("body[data-ready]")
        form = page.locator("form[action='/staff/accounts']")
        form.locator("[name=name]").fill("anna")
        form.locator("[name=password]").fill(PASSWORD)
        form.locator("button").click()
        expect(form.locator(".fault")).to_contain_text("anna")
        check(page, "a refused account")
        form.locator("[name=name]").fill("ben")
        form.locator("button").click()
        expect(page.locator("tbody tr")).to_have_count(2)
        assert [one.name for one in Accounts(desk.records.engine).all()] == ["anna", "ben"]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_was_typed_outlives_the_session(serve_desk: Callable[[], object], open_page: OpenPage) -> None:
    with serve_desk() as desk:
        page = open_page(desk.origin, **LOGIN, expect_faults=True)
        log_in(page)
        page.goto(f"{desk.origin}/staff/review/{desk.answer_id}")
        page.wait_for_selector("body[data-ready]")
        page.locator(".whole label", has_text="Wrong").click()
        select(page, "replace two of the five vessels")
        page.click("#pick")
        page.fill("#comment", "Long thoughts.")
        Sessions(desk.records.engine, *session_limits(desk.chatbot.settings)).end_all("(test)", "anna")
        page.get_by_role("button", name="Save the verdict").click()
        page.wait_for_selector("[name=password]")
        expect(page.locator(".fault")).to_contain_text("Your session has ended")
        log_in(page)
        expect(page.locator("#restored")).to_be_visible()
        expect(page.locator("#comment")).to_have_value("Long thoughts.")
        expect(page.locator("#passages q")).to_have_text("replace two of the five vessels")
        page.get_by_role("button", name="Save the verdict").click()
        expect(page.locator("p.saved")).to_contain_text("Your verdict is saved")
        expect(page.locator("#restored")).to_be_hidden()
        (verdict,) = verdicts_of(desk.records.engine, desk.answer_id)
        assert (verdict.assessment.verdict, verdict.assessment.comment) == ("wrong", "Long thoughts.")
        assert len(verdict.assessment.passages) == 1
        page.locator(".own button").click()
        assert page.evaluate("sessionStorage.length") == 0
