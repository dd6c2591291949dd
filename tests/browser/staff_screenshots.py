"""Takes the pictures of the staff's desk in `docs/screenshots/`: queue, an answer, its verdict, at two widths.

Run it with `python -m tests.browser.staff_screenshots`, and look at what it made before you commit it.
"""

from __future__ import annotations

import shutil
import tempfile
from contextlib import closing

from playwright.sync_api import Page, sync_playwright

from bot.answer.conversation import Turn
from bot.answer.trace import Trace
from bot.staff.accounts import Accounts
from bot.storage.answers import AnswerRecords, Origin
from bot.web.staff.staff_site import build_staff
from index.document import Span
from tests.browser.conftest import OPTIONS
from tests.browser.running import running
from tests.browser.screenshots import FOLDER, save
from tests.browser.scripted import FERRY, ScriptedChatbot
from tests.browser.test_staff import PASSWORD
from tests.support.review_items import given, record, refused

SIZES = {1280: 860, 390: 844}
ASKED = "And when do the new vessels come?"


def put_on_record(records: AnswerRecords) -> None:
    """Put answers of every kind on record."""
    record(records, given(1, "What does a crossing cost on Sundays?", confidence=0.52))
    record(records, given(2, "Who travels at half fare?"), dropped=("Children travel for nothing.",))
    record(records, refused(3, "Who is the captain of the night ferry?", confidence=0.34))
    record(records, given(4, "平日成人渡輪船費是多少？", about="船費"), disagreements=1)
    record(records, given(5, "How much is reserved for the new vessels?", about="reserved", confidence=0.58))
    made = given(6, ASKED, about="when", confidence=0.55)
    dropped = ("They come in September.",)
    question = "When will the new ferry vessels enter service?"
    selected = ((FERRY, Span(300, 380)),)
    trace = Trace(question, question, 0.4, selected=selected, drafts=dropped, dropped=dropped)
    history = [
        Turn(role="user", content="How much is reserved for new vessels?"),
        Turn(role="assistant", content="HK$180 million has been reserved for the purpose. [1]"),
    ]
    records.record(made, Origin("page", "c", "anna"), history, trace)
    records.rate(made, "anna", "down", reason="incomplete", comment="It does not say how many.")


def take_pictures(page: Page, width: int) -> None:
    """Walk from the queue to a verdict."""

    def picture(name: str) -> None:
        page.wait_for_timeout(250)
        save(page.screenshot(), FOLDER / f"staff-{name}-{width}.png")

    page.wait_for_selector("body[data-ready]")
    picture("queue")
    page.keyboard.press("n")
    page.wait_for_selector(".check")
    page.wait_for_selector("body[data-ready]")
    for key in "j11":
        page.keyboard.press(key)
        page.wait_for_timeout(150)
    page.evaluate("scrollTo(0, 0)")
    picture("answer")
    for key in "2s":
        page.keyboard.press(key)
    page.wait_for_selector("p.saved")
    page.wait_for_selector("body[data-ready]")
    page.locator(".then").scroll_into_view_if_needed()
    picture("judged")


def main() -> None:
    """Take all pictures."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=OPTIONS)
        for width, height in SIZES.items():
            with (
                tempfile.TemporaryDirectory() as data,
                closing(AnswerRecords(f"sqlite:///{data}/one.db", 0.0)) as records,
            ):
                Accounts(records.engine).add("(pictures)", "anna", "staff", PASSWORD)
                put_on_record(records)
                chatbot = ScriptedChatbot()
                (staff,) = build_staff(chatbot.settings, chatbot, records)
                with running(chatbot, f"sqlite:///{data}/one.db", groups=[staff]) as origin:
                    page = browser.new_page(viewport={"width": width, "height": height}, reduced_motion="reduce")
                    page.goto(f"{origin}/staff")
                    page.fill("[name=name]", "anna")
                    page.fill("[name=password]", PASSWORD)
                    page.keyboard.press("Enter")
                    take_pictures(page, width)
                    page.close()
        browser.close()


if __name__ == "__main__":
    main()
