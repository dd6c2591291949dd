"""The widget in a site of somebody else, which the setting names or does not."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.other_site import other_site
from tests.browser.running import running
from tests.browser.scripted import ScriptedChatbot

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("named", [True, False])
def test_a_site_that_is_not_named_gets_a_way_to_the_chat(named: bool, browser: Browser, tmp_path: Path) -> None:
    chatbot, said = ScriptedChatbot(), list[str]()
    with other_site() as site:
        origin = site.origin if named else "https://elsewhere.example.org"
        chatbot.settings = chatbot.settings.model_copy(update={"widget_origins": (origin,)})
        with running(chatbot, f"sqlite:///{tmp_path / 'footnote.db'}") as url:
            site.footnote = url
            page = browser.new_page(viewport={"width": 390, "height": 700})
            page.on("console", lambda line: said.append(line.text))
            page.goto(site.origin)
            button = page.get_by_role("button", name="Ask the documents")
            button.click()
            instead = page.get_by_role("link", name="Open the chat in a window of its own")
            if named:
                page.frame_locator("iframe").locator("body[data-ready=true]").wait_for()
                page.wait_for_timeout(2_000)
                expect(instead).to_have_count(0)
                assert not any("widget_origins" in line for line in said)
            else:
                expect(instead).to_be_focused()
                assert instead.get_attribute("href") == f"{url}/?language=en"
                assert any("widget_origins" in line for line in said)
                page.keyboard.press("Escape")
                expect(instead).to_be_hidden()
                button.click()
                expect(instead).to_be_visible()
            page.close()
