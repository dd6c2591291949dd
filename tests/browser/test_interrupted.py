"""What a reader sees when they are turned away, and when the server goes while it answers (V5)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from bot.settings import load_settings
from bot.web.http_server import open_port
from index.sync import SyncReport
from tests.browser.conftest import OpenPage
from tests.browser.running import running
from tests.browser.scripted import ScriptedChatbot
from tests.support.model_server import ModelServer, model_server
from tests.support.web_machine import WebMachine

pytestmark = pytest.mark.browser

BOX = "#question textarea"
# The first answer after a start waits for libraries, however busy the machine is.
PATIENCE = 60_000


def send(page: Page, question: str) -> None:
    page.fill(BOX, question)
    page.press(BOX, "Enter")


def test_who_asks_too_much_reads_why_in_a_sentence(tmp_path: Path, open_page: OpenPage) -> None:
    chatbot = ScriptedChatbot()
    chatbot.settings = load_settings({"answerer": "extractive", "visitor_questions": "1/minute"})
    with running(chatbot, f"sqlite:///{tmp_path / 'footnote.db'}") as url:
        httpx.get(f"{url}/config", timeout=PATIENCE, trust_env=False)  # once Gradio is there
        page = open_page(url, expect_faults=True)
        send(page, "What does it cost?")
        expect(page.locator(".checked")).to_be_visible(timeout=PATIENCE)
        send(page, "And on Sundays?")
        expect(page.locator(".fault")).to_contain_text(
            "You have asked a lot in a short time; try again in", timeout=PATIENCE
        )
        expect(page.locator(".turn")).to_have_count(2)


@pytest.fixture
def model() -> Iterator[ModelServer]:
    with model_server() as server:
        yield server


@pytest.fixture
def machine(tmp_path: Path, model: ModelServer, index_folder: Callable[..., SyncReport]) -> Iterator[WebMachine]:
    """`footnote serve` over a small index and a model server, on a port that stays the same."""
    (tmp_path / "town.txt").write_text(
        "The town\n\nThe first ferry leaves Mui Wo at 5:55 am.\nThe swimming pool holds 600 visitors.\n"
    )
    index_folder(tmp_path / "town.txt", tmp_path / "data")
    remote = {"FOOTNOTE_ANSWERER": "remote", "FOOTNOTE_REMOTE_URL": model.url, "FOOTNOTE_REMOTE_MODEL": "m"}
    with open_port("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    machine = WebMachine(tmp_path / "data", remote, port)
    machine.start()
    machine.wait()
    yield machine
    machine.kill()


def ask_and_leave_it_hanging(page: Page, model: ModelServer, question: str) -> None:
    model.behaviour = "hang"
    send(page, question)
    expect(page.locator(".turn").last.locator(".status")).to_contain_text("Reading", timeout=PATIENCE)


def ask_again(page: Page, model: ModelServer) -> None:
    model.behaviour = "error"  # the answer is a quotation then
    page.locator('.turn:last-child [data-do="again"]').click()
    expect(page.locator(".turn").last.locator(".statement")).to_contain_text("5:55 am", timeout=PATIENCE)


def test_v5_a_stop_in_mid_answer_is_said_and_the_page_goes_on_after_the_restart(
    machine: WebMachine, model: ModelServer, open_page: OpenPage
) -> None:
    """V5, SIGTERM: said within 5 s, gone within 20 s, and the same page asks again when the server is back."""
    page = open_page(machine.address, expect_faults=True)
    ask_and_leave_it_hanging(page, model, "When does the first ferry leave?")
    begun = time.monotonic()
    machine.terminate()
    expect(page.locator(".fault")).to_contain_text("is being restarted", timeout=5_000)
    assert machine.ended() == 0
    assert time.monotonic() - begun < 20
    assert "Traceback" not in machine.said()
    machine.start()
    machine.wait()
    ask_again(page, model)
    assert model.open_requests == 0


def test_v5_a_kill_in_mid_answer_is_said_and_nothing_of_the_conversation_is_lost(
    machine: WebMachine, model: ModelServer, open_page: OpenPage
) -> None:
    """V5, kill -9: said within 5 s; after the restart a reload shows the conversation, and it goes on."""
    page = open_page(machine.address, expect_faults=True)
    model.behaviour = "error"
    send(page, "How many visitors does the swimming pool hold?")
    expect(page.locator(".statement")).to_contain_text("600 visitors", timeout=PATIENCE)
    ask_and_leave_it_hanging(page, model, "When does the first ferry leave?")
    machine.kill()
    expect(page.locator(".fault")).to_contain_text("interrupted", timeout=5_000)
    machine.start()
    machine.wait()
    page.reload()
    page.wait_for_selector("body[data-ready]")
    first, last = page.locator(".turn").first, page.locator(".turn").last
    expect(first.locator(".statement")).to_contain_text("600 visitors", timeout=PATIENCE)
    expect(last.locator(".fault")).to_contain_text("interrupted")
    ask_again(page, model)
    machine.kill()
    machine.start()
    machine.wait()
    send(page, "How many visitors does the swimming pool hold?")  # without a reload
    expect(last.locator(".statement")).to_contain_text("600 visitors", timeout=PATIENCE)
