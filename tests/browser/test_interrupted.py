"""What a reader sees when they are turned away, and when the server goes while it answers (V5)."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

from bot.settings import load_settings
from tests.browser.conftest import OpenPage
from tests.browser.running import running
from tests.browser.scripted import ScriptedChatbot

BOX = "#question textarea"


def send(page: Page, question: str) -> None:
    page.fill(BOX, question)
    page.press(BOX, "Enter")


def test_who_asks_too_much_reads_why_in_a_sentence(tmp_path: Path, open_page: OpenPage) -> None:
    chatbot = ScriptedChatbot()
    chatbot.settings = load_settings({"answerer": "extractive", "visitor_questions": "1/minute"})
    with running(chatbot, f"sqlite:///{tmp_path / 'footnote.db'}") as url:
        page = open_page(url, expect_faults=True)
        send(page, "What does it cost?")
        expect(page.locator(".checked")).to_be_visible()
        send(page, "And on Sundays?")
        expect(page.locator(".fault")).to_contain_text("You have asked a lot in a short time; try again in")
        expect(page.locator(".turn")).to_have_count(2)
        page.screenshot(path="/tmp/limit.png")
