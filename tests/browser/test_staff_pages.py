"""The staff's pages in Chromium: logged in to by keyboard, fitting every width, readable for everyone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from bot.accounts.accounts import Accounts
from bot.chatbot import Chatbot
from bot.records.answers import AnswerRecords, Origin
from bot.web.staff.app import build_staff
from index.sync import SyncReport
from tests.browser.conftest import OpenPage
from tests.browser.running import running
from tests.browser.scripted import answer, statements_for
from tests.staff_site import PASSWORD
from tests.test_staff_documents import DOCUMENTS

pytestmark = pytest.mark.browser

ANSWER = "a" * 32


@pytest.fixture(scope="module")
def url(
    tmp_path_factory: pytest.TempPathFactory,
    index_folder: Callable[..., SyncReport],
    open_chatbot: Callable[[Path], Chatbot],
) -> Iterator[str]:
    folder, data = tmp_path_factory.mktemp("documents"), tmp_path_factory.mktemp("data")
    for name, text in DOCUMENTS.items():
        (folder / name).write_text(text)
    index_folder(folder, data)
    chatbot = open_chatbot(data)
    with closing(AnswerRecords(chatbot.settings.catalogue_url())) as records:
        Accounts(records.engine).add("(test)", "anna", "admin", PASSWORD)
        given = answer(ANSWER, "What is the fare?", statements=statements_for("fare"))
        records.record(given, Origin("page", "c1", "v1"))
        staff = build_staff(chatbot.settings, chatbot, records)
        with running(chatbot, chatbot.settings.catalogue_url(), groups=(staff,)) as address:
            yield address
        staff.close()


def log_in(page: Page) -> None:
    """Log in by keyboard alone; the name has the focus."""
    page.keyboard.type("anna")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator(".own")).to_contain_text("anna")


def check(page: Page, state: str) -> None:
    """Expect that everybody can use the page as it is, at its width."""
    page.wait_for_selector("body[data-ready]")
    violations = Axe().run(page).response["violations"]
    assert [f"{state}: {one['id']}: {[node['html'][:200] for node in one['nodes']]}" for one in violations] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), state


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")])
def test_every_page_can_be_used_by_everybody(url: str, open_page: OpenPage, width: int, theme: str) -> None:
    page = open_page(url, width=width, color_scheme=theme)
    page.goto(f"{url}/staff/accounts")
    check(page, "login")
    log_in(page)
    for path in (
        "accounts",
        "me",
        "documents",
        "documents/suspicious",
        "privacy",
        f"privacy?reference={ANSWER}",
        "audit",
    ):
        page.goto(f"{url}/staff/{path}")
        check(page, path)
    page.goto(f"{url}/staff/accounts")
    page.locator("summary").click()
    check(page, "changing an account")


def test_staff_exclude_a_file_look_for_suspicious_ones_and_delete_a_conversation(url: str, open_page: OpenPage) -> None:
    page = open_page(url)
    page.goto(f"{url}/staff/documents")
    log_in(page)
    page.get_by_label("Choose poison.txt").check()
    page.get_by_role("button", name="Take out of the index").click()
    expect(page.locator(".saved")).to_have_text("Marked files: 1")
    page.get_by_role("link", name="Suspicious documents").click()
    page.get_by_role("button", name="Look through the documents").click()
    expect(page.locator(".hint")).to_be_visible()
    page.wait_for_timeout(1_000)
    page.reload()
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
    expect(page.locator(".turn .checked, .turn .fault")).to_be_visible()
    assert len(page.request.get(f"{url}/my-data").json()["answers"]) == 1
    page.click("#open-drawer")
    page.click("#forget")
    expect(page.locator("#forget")).to_have_text("Delete for good?")
    page.wait_for_timeout(500)
    page.click("#forget")
    expect(page.locator("#announcer")).to_have_text("All that was kept of you is deleted.")
    assert page.request.get(f"{url}/my-data").json()["answers"] == []
    expect(page.locator(".turn")).to_have_count(0)
