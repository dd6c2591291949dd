"""Takes the pictures of `docs/screenshots/`: eight states, three widths, both themes.

Run it with `python -m tests.browser.screenshots`, and look at what it made before you commit it.
"""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from tests.browser.conftest import OPTIONS
from tests.browser.running import running
from tests.browser.scripted import ScriptedChatbot

FOLDER = Path(__file__).parent.parent.parent / "docs" / "screenshots"
SIZES = {390: 780, 820: 1000, 1280: 800}
COLOURS = 256
BOX = "#question textarea"


def ask(page: Page, question: str, until: str = ".outcome") -> None:
    before = page.locator(".turn").count()
    page.fill(BOX, question)
    page.press(BOX, "Enter")
    page.locator(".turn").nth(before).locator(until).first.wait_for()


def first_sight(page: Page) -> None:
    page.wait_for_selector("#examples .ask")


def working(page: Page) -> None:
    ask(page, "What does a crossing cost?", until=".statement")


def answer(page: Page) -> None:
    ask(page, "What does a crossing cost?")


def source(page: Page) -> None:
    ask(page, "What does a crossing cost?")
    ask(page, "And when do the new vessels come?")
    page.locator(".turn").nth(1).locator(".footnote").first.click()
    page.wait_for_selector("#pane #cited")


def refusal(page: Page) -> None:
    ask(page, "Who is the captain?")


def clarification(page: Page) -> None:
    ask(page, "Which ferry is the cheapest?")


def fault(page: Page) -> None:
    ask(page, "Is the index broken?", until=".fault")


def long_conversation(page: Page) -> None:
    for question in ("What does a crossing cost?", "And when do the new vessels come?", "平日成人船費是多少？"):
        ask(page, question)
    page.locator(".turn").last.locator(".details summary").click()
    page.evaluate("document.querySelector('#conversation').scrollTop = 120")


STATES: list[Callable[[Page], None]] = [
    first_sight,
    working,
    answer,
    source,
    refusal,
    clarification,
    fault,
    long_conversation,
]


def save(png: bytes, path: Path) -> None:
    """Write a picture with few colours, which flat pages do not need more of."""
    Image.open(io.BytesIO(png)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)


def main() -> None:
    """Take all pictures, or those of the states named on the command line."""
    wanted = [state for state in STATES if not sys.argv[1:] or state.__name__ in sys.argv[1:]]
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=OPTIONS)
        with (
            running(ScriptedChatbot(shown=2), f"sqlite:///{data}/one.db") as quick,
            running(ScriptedChatbot(delay=0.8, shown=2), f"sqlite:///{data}/two.db") as slow,
        ):
            for theme in ("light", "dark"):
                for width, height in SIZES.items():
                    for state in wanted:
                        context = browser.new_context(
                            viewport={"width": width, "height": height}, color_scheme=theme, reduced_motion="reduce"
                        )
                        page = context.new_page()
                        page.goto(slow if state is working else quick)
                        page.wait_for_selector("body[data-ready]")
                        state(page)
                        page.mouse.move(width - 2, 2)
                        page.wait_for_timeout(0 if state is working else 250)
                        save(page.screenshot(), FOLDER / f"{state.__name__}-{theme}-{width}.png")
                        context.close()
        browser.close()


if __name__ == "__main__":
    main()
