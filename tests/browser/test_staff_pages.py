"""The staff's pages in Chromium: logged in to by keyboard, fitting every width, readable for everyone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import product

import pytest
from playwright.sync_api import Page, expect

from bot.chatbot import Chatbot
from bot.staff.accounts import Accounts
from bot.staff.approved_answers import ApprovedAnswers
from bot.staff.review.golden_proposals import golden_entry, propose_question
from bot.staff.review.verdicts import Assessment, record_verdict
from bot.storage.answers import AnswerRecords, Origin
from bot.storage.threshold import RefusalThreshold
from bot.web.staff.staff_site import build_staff
from index.sync import SyncReport
from tests.browser.conftest import PATIENCE_MS, OpenPage, without_limits
from tests.browser.running import running
from tests.browser.scripted import answer, statements_for
from tests.browser.test_access import LANGUAGES, States
from tests.support.review_items import refused
from tests.support.staff_site import PASSWORD
from tests.web.test_staff_documents import DOCUMENTS

pytestmark = pytest.mark.browser

ANSWER = "a" * 32
JUDGED = "b" * 32
PAGES = (
    "review", "review?state=all&language=en", f"review/{ANSWER}", f"review/{JUDGED}", "review?reason=sample&state=all",
    "review?words=zebra", "approved", "golden", "insights", "insights?wanted=0.7", "documents", "documents/suspicious",
    "privacy", f"privacy?reference={ANSWER}", "privacy?reference=nobody", "accounts", "me", "audit",
    "audit?actor=nobody", "nothing",
)  # fmt: skip
# Words that are the same in every language: names, formats, roles of nobody in particular, and what is typed.
SAME_EVERYWHERE = {
    "Footnote", "footnote", "index", "serve", "watch", "English", "CSV", "JSONL", "UTC", "OpenID", "MCP", "refusal",
    "FOOTNOTE_REFUSAL_THRESHOLD", "anna", "berta", "Enter", "Ctrl", "threshold",
}  # fmt: skip


@pytest.fixture(scope="module")
def url(
    tmp_path_factory: pytest.TempPathFactory,
    index_folder: Callable[..., SyncReport],
    open_chatbot: Callable[..., Chatbot],
) -> Iterator[str]:
    folder, data = tmp_path_factory.mktemp("documents"), tmp_path_factory.mktemp("data")
    for name, text in DOCUMENTS.items():
        (folder / name).write_text(text)
    index_folder(folder, data)
    chatbot = without_limits(open_chatbot(data))
    with closing(AnswerRecords(chatbot.settings.catalogue_url(), sample=1.0)) as records:
        Accounts(records.engine).add("(test)", "anna", "admin", PASSWORD)
        given = answer(ANSWER, "What is the fare?", statements=statements_for("fare"))
        records.record(given, Origin("page", "c1", "v1"))
        put_on_record(records, chatbot)
        (staff,) = build_staff(chatbot.settings, chatbot, records)
        with running(chatbot, chatbot.settings.catalogue_url(), groups=(staff,)) as address:
            yield address
        staff.close()


def put_on_record(records: AnswerRecords, chatbot: Chatbot) -> None:
    """Put on record what fills the pages: a checked, an approved and a refused answer, and a golden question."""
    asked = chatbot.trace("What is the fare for adults on weekdays?")
    made = asked.answer.model_copy(update={"id": JUDGED})
    records.record(made, Origin("page", "c2", "v2"), trace=asked.trace)
    records.rate(made, "v2", "down", reason="wrong", comment="It was dearer.")
    records.record(refused(7), Origin("page", "c3", "v3"))
    with records.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE answers SET draw = 0")
    assessment = Assessment("right", {one.number: "supports" for one in made.citations}, comment="Yes.")
    record_verdict(records.engine, made, assessment, "anna", "f")
    recorded = records.find(JUDGED)
    assert recorded is not None
    suite = chatbot.settings.data_dir / "suites" / "staff.yaml"
    propose_question(records.engine, JUDGED, golden_entry(recorded, assessment, ()), suite, "berta", second=True)
    store = ApprovedAnswers(records.engine)
    store.approve(recorded, "anna", chatbot.document, made.question)
    RefusalThreshold(records.engine, chatbot.settings).choose("anna", 0.45)


def log_in(page: Page) -> None:
    """Log in by keyboard alone; the name has the focus."""
    expect(page.locator("[name=name]")).to_be_focused()
    page.keyboard.type("anna")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator(".own")).to_contain_text("anna")


def faults_of(page: Page, state: str) -> list[str]:
    """Return what keeps somebody from using the page as it is: by axe-core, in another language, too wide."""
    page.wait_for_selector("body[data-ready]")
    states = States(page, str(page.locator("html").get_attribute("lang")), SAME_EVERYWHERE)
    states.look(state)
    fits = page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    return states.found if fits else [*states.found, f"{state}: too wide"]


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("language", "theme", "width"),
    [
        (*both, 390 if number % 2 else 1280)
        for number, both in enumerate([*product(LANGUAGES, ("light", "dark")), ("en", "dark"), ("en", "light")])
    ],
)
def test_every_page_can_be_used_by_everybody(
    url: str, open_page: OpenPage, language: str, theme: str, width: int
) -> None:
    page = open_page(url, width=width, color_scheme=theme, locale=language, expect_faults=True)
    found: list[str] = []
    page.goto(f"{url}/staff/accounts")
    found += faults_of(page, "login")
    assert page.locator("html").get_attribute("lang") == language
    page.locator("[name=name]").fill("nobody")
    page.locator("[name=password]").fill("a wrong password")
    page.keyboard.press("Enter")
    page.wait_for_selector(".fault")
    found += faults_of(page, "a wrong password")
    expect(page.locator("[name=name]")).to_have_value("nobody")
    expect(page.locator("[name=password]")).to_be_focused()
    page.keyboard.press("Shift+Tab")  # marks the name, which the next letter replaces
    log_in(page)
    for path in PAGES:
        page.goto(f"{url}/staff/{path}")
        found += faults_of(page, path)
    page.goto(f"{url}/staff/accounts")
    page.locator("summary").first.click()
    page.locator(".apart summary").click()
    found += faults_of(page, "changing an account")
    page.goto(f"{url}/staff/review/{JUDGED}")
    page.wait_for_selector("body[data-ready]")
    page.keyboard.press("w")
    found += faults_of(page, "what the bot saw")
    page.keyboard.press("?")
    found += faults_of(page, "keys")
    page.keyboard.press("Escape")
    page.keyboard.press("r")
    page.wait_for_selector(".sides")
    found += faults_of(page, "asked again")
    page.goto(f"{url}/staff/accounts")
    page.locator("form.narrow [name=name]").fill("anna")
    page.locator("form.narrow [name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector(".fault")
    found += faults_of(page, "a fault")
    assert found == [], "\n".join(found)


def test_staff_exclude_a_file_look_for_suspicious_ones_and_delete_a_conversation(url: str, open_page: OpenPage) -> None:
    page = open_page(url)
    page.goto(f"{url}/staff/documents")
    log_in(page)
    page.get_by_label("Choose poison.txt").check()
    page.get_by_role("button", name="Take out of the index").click()
    expect(page.locator(".saved")).to_have_text("Marked files: 1")
    page.get_by_role("link", name="Suspicious documents").click()
    page.get_by_role("button", name="Look through the documents").click()
    expect(page.locator(".hint").or_(page.locator("h2")).first).to_be_visible()
    for _ in range(60):  # it is looked through beside the page, which is read again to see what was found
        page.wait_for_timeout(500)
        page.reload()
        if page.locator("h2").count():
            break
    expect(page.locator("h2").first).to_have_text("poison.txt")

    page.goto(f"{url}/staff/privacy?reference={ANSWER}")
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.get_by_role("button", name="Delete the conversation").click()
    expect(page.get_by_role("heading", name="Conversation")).to_be_visible()
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Delete the conversation").click()
    expect(page.locator(".saved")).to_have_text("Deleted answers: 1")
    page.goto(f"{url}/staff/audit?action=conversation.delete")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("button", name="Log out").click()
    expect(page).to_have_url(f"{url}/staff/login")


def test_a_reader_deletes_what_is_kept_of_them(url: str, open_page: OpenPage) -> None:
    page = open_page(url)
    page.fill("#question textarea", "What is the fare for adults?")
    page.press("#question textarea", "Enter")
    expect(page.locator(".turn .checked, .turn .fault")).to_be_visible(timeout=PATIENCE_MS)
    assert len(page.request.get(f"{url}/my-data").json()["answers"]) == 1
    page.click("#open-drawer")
    page.click("#forget")
    expect(page.locator("#forget")).to_have_text("Delete for good?")
    page.wait_for_timeout(500)
    page.click("#forget")
    expect(page.locator("#announcer")).to_have_text("All that was kept of you is deleted.")
    assert page.request.get(f"{url}/my-data").json()["answers"] == []
    expect(page.locator(".turn")).to_have_count(0)
