"""A real Chromium, and pages that tell on themselves: errors, foreign requests and policy violations fail a test."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, Request, sync_playwright

from tests.browser.running import running
from tests.browser.scripted import ScriptedChatbot

OPTIONS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PATIENCE_MS = 20_000

OpenPage = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, from the system or as Playwright installed it.

    Only for the module: Playwright keeps a running event loop, and other tests run one of their own.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """Opens a page and waits until it can be used; at the end nothing may have gone wrong unseen."""
    contexts, wrong = [], []

    def open_one(
        url: str,
        *,
        path: str = "",
        ready: str = "body[data-ready]",
        width: int = 1280,
        height: int = 800,
        expect_faults: bool = False,
        **options: object,
    ) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)

        def check(request: Request) -> None:
            if not request.url.startswith((url, "data:", "blob:")):
                wrong.append(f"a request left the origin: {request.url}")

        page.on("request", check)
        if not expect_faults:
            page.on("pageerror", lambda error: wrong.append(f"script error: {error}"))
            page.on("console", lambda message: message.type == "error" and wrong.append(message.text))
        page.goto(url + path)
        page.wait_for_selector(ready)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert wrong == []


@pytest.fixture(scope="module")
def scripted_chatbot() -> ScriptedChatbot:
    return without_limits(ScriptedChatbot())


def without_limits(chatbot: ScriptedChatbot) -> ScriptedChatbot:
    """Let one address ask as often as it likes: all tests of a module are one visitor, and ask what thirty would."""
    unlimited = {"visitor_requests": "", "visitor_questions": "", "all_questions": ""}
    chatbot.settings = chatbot.settings.model_copy(update=unlimited)
    return chatbot


@pytest.fixture(scope="module")
def scripted_url(scripted_chatbot: ScriptedChatbot, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the application around the scripted chatbot."""
    with running(scripted_chatbot, f"sqlite:///{tmp_path_factory.mktemp('scripted') / 'footnote.db'}") as url:
        yield url
