"""Takes the picture at the top of the README: the real chatbot over `seeds/`, its answer, and the source beside it.

Run it with `python -m tests.browser.readme_picture`, and look at what it made before you commit it.
"""

from __future__ import annotations

import shutil
import tempfile
from contextlib import closing
from pathlib import Path

from playwright.sync_api import sync_playwright

from bot.build import build_chatbot
from bot.settings import Settings
from index.embedding.sentence_transformer import SentenceTransformerEmbedder
from index.store.catalogue import Catalogue
from index.sync import synchronise
from tests.browser.conftest import OPTIONS
from tests.browser.running import running
from tests.browser.screenshots import BOX, FOLDER, save

SEEDS = Path(__file__).parent.parent.parent / "seeds"
QUESTION = "How much is reserved for the AI research institute?"


def main() -> None:
    """Index the seeds, ask, open the first footnote, and take the picture."""
    embedder = SentenceTransformerEmbedder()
    with tempfile.TemporaryDirectory() as data, sync_playwright() as playwright:
        settings = Settings(data_dir=Path(data))
        with closing(Catalogue(settings.catalogue_url())) as catalogue:
            synchronise([SEEDS], settings, catalogue, embedder)
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=OPTIONS)
        with (
            closing(build_chatbot(settings, embedder)) as chatbot,
            running(chatbot, settings.catalogue_url()) as address,
        ):
            page = browser.new_page(
                viewport={"width": 1280, "height": 800}, color_scheme="light", reduced_motion="reduce"
            )
            page.goto(address)
            page.wait_for_selector("body[data-ready]")
            page.fill(BOX, QUESTION)
            page.press(BOX, "Enter")
            page.locator(".outcome").first.wait_for()
            page.locator(".footnote").first.click()
            page.wait_for_selector("#pane #cited")
            page.mouse.move(1278, 2)
            page.wait_for_timeout(300)
            save(page.screenshot(), FOLDER / "readme.png")
        browser.close()


if __name__ == "__main__":
    main()
