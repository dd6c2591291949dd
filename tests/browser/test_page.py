"""The page as a reader uses it, in a real Chromium, served for real."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from bot.answer.answer import Approval
from bot.answer.events import Event, Finished
from bot.chatbot import Chatbot
from bot.storage.answers import AnswerRecords
from bot.web.page.render_html import visible
from tests.browser.conftest import OpenPage
from tests.browser.running import running
from tests.browser.scripted import FERRY, HALF_FARE, REPORT, ScriptedChatbot

pytestmark = pytest.mark.browser

BOX = "#question textarea"


def ask(page: Page, question: str) -> None:
    """Type a question, send it with Enter and wait for its answer."""
    before = page.locator(".turn").count()
    page.fill(BOX, question)
    page.press(BOX, "Enter")
    expect(page.locator(".turn")).to_have_count(before + 1)
    expect(page.locator(".turn").nth(before).locator(".checked, .fault")).to_be_visible()


def stored_turns(page: Page) -> list[dict]:
    return json.loads(page.evaluate("localStorage.getItem('footnote.conversations')"))[0]["turns"]


def marked_text(page: Page) -> str:
    page.wait_for_selector("#pane #cited")
    return "\n".join(page.locator("#pane mark").all_text_contents())


# With the real chatbot over the real seed document


@pytest.fixture(scope="module")
def seeded(
    open_chatbot: Callable[[Path], Chatbot],
    index_folder: Callable,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[str, Chatbot]]:
    data = tmp_path_factory.mktemp("data")
    index_folder(Path(__file__).parent.parent.parent / "seeds", data)
    chatbot = open_chatbot(data)
    with running(chatbot, chatbot.settings.catalogue_url()) as url:
        yield url, chatbot


def test_footnotes_open_the_exact_words_of_the_stored_document(
    seeded: tuple[str, Chatbot], open_page: OpenPage
) -> None:
    url, chatbot = seeded
    page = open_page(url)
    ask(page, chatbot.example_questions()[0])
    answer = stored_turns(page)[0]["answer"]
    assert answer["citations"]
    for index, citation in enumerate(answer["citations"]):
        page.locator(".footnote").nth(index).click()
        document = chatbot.document(citation["document_id"])
        assert document is not None
        expect(page.locator("#pane mark").first).to_be_in_viewport()
        assert marked_text(page) == document.text[citation["start"] : citation["end"]]
        paragraphs = page.locator("#pane .text p").all_text_contents()
        assert "".join("".join(paragraphs).split()) == "".join(document.text.split())


def test_examples_are_answered(seeded: tuple[str, Chatbot], open_page: OpenPage) -> None:
    page = open_page(seeded[0])
    page.locator("#examples .ask").first.click()
    expect(page.locator(".turn .statement").first).to_be_visible()


@pytest.fixture
def held_assets(scripted_url: str, open_page: OpenPage) -> tuple[Page, Callable[[], None]]:
    """A page whose Gradio is still on its way, and what lets it arrive."""
    page = open_page(scripted_url)
    held: list[Route] = []
    page.route("**/assets/**", lambda route: held.append(route))  # noqa: PLW0108  # Playwright marks the function
    page.reload(wait_until="commit")
    page.wait_for_function("performance.getEntriesByName('box').length")

    def release() -> None:
        page.route("**/assets/**", lambda route: route.continue_())
        for route in held:
            route.continue_()
        page.wait_for_selector("body[data-ready]")

    return page, release


@pytest.mark.parametrize("by", ["example", "enter", "button"])
def test_what_is_asked_before_gradio_is_there_is_answered(
    held_assets: tuple[Page, Callable[[], None]], by: str
) -> None:
    page, release = held_assets
    if by == "example":
        page.locator("[data-ask]").first.click()
    else:
        page.fill("#opening textarea", "What does it cost?")
    if by == "enter":
        page.press("#opening textarea", "Enter")
    elif by == "button":
        page.click("#opening button")
    expect(page.locator(".turn .status")).to_have_text("Asked as soon as the page has loaded…")
    page.fill("#opening textarea", "And when?")
    page.press("#opening textarea", "Enter")  # one at a time: this one stays in the box
    place = page.locator("#opening").bounding_box()
    release()
    expect(page.locator(".turn .checked")).to_be_visible()
    expect(page.locator(".turn")).to_have_count(1)
    expect(page.locator("#opening")).to_be_hidden()
    expect(page.locator(BOX)).to_have_value("And when?")
    box = page.locator("#composer").bounding_box()
    assert all(place[side] == pytest.approx(box[side], abs=2) for side in box)


def test_what_is_being_written_goes_over_to_gradio(held_assets: tuple[Page, Callable[[], None]]) -> None:
    page, release = held_assets
    page.fill("#opening textarea", "What does it")
    page.keyboard.press("Home")
    release()
    expect(page.locator(BOX)).to_be_focused()
    page.keyboard.type("So ")
    expect(page.locator(BOX)).to_have_value("So What does it")


def test_question_that_still_waits_can_be_given_up(held_assets: tuple[Page, Callable[[], None]]) -> None:
    page, release = held_assets
    page.fill("#opening textarea", "What does it cost?")
    page.press("#opening textarea", "Enter")
    page.keyboard.press("Escape")
    expect(page.locator(".fault")).to_contain_text("Stopped.")
    release()
    page.wait_for_timeout(300)
    expect(page.locator(".checked")).to_have_count(0)
    page.locator('[data-do="again"]').click()
    expect(page.locator(".checked")).to_be_visible()


def test_follow_up_is_understood_and_survives_a_reload(seeded: tuple[str, Chatbot], open_page: OpenPage) -> None:
    page = open_page(seeded[0])
    ask(page, seeded[1].example_questions()[0])
    ask(page, "And when was it announced?")
    turn = stored_turns(page)[1]
    if turn["answer"]["standalone_question"] != turn["answer"]["question"]:
        expect(page.locator(".understood .words")).to_have_text(turn["answer"]["standalone_question"])
    shown = page.locator("#turns").inner_text()
    page.reload()
    expect(page.locator(".turn .checked")).to_have_count(2)
    assert page.locator("#turns").inner_text() == shown


def test_question_without_words_is_declined_without_footnotes(seeded: tuple[str, Chatbot], open_page: OpenPage) -> None:
    page = open_page(seeded[0])
    ask(page, "???")
    assert stored_turns(page)[0]["answer"]["kind"] == "refusal"
    expect(page.locator(".footnote")).to_have_count(0)
    expect(page.locator(".fault")).to_have_count(0)


def test_standalone_source_works_without_scripts(seeded: tuple[str, Chatbot], open_page: OpenPage) -> None:
    page = open_page(seeded[0])
    ask(page, seeded[1].example_questions()[0])
    link = page.locator(".footnote").first
    quote, address = link.get_attribute("data-quote"), link.get_attribute("href")
    plain = page.context.browser.new_context(java_script_enabled=False).new_page()
    plain.goto(seeded[0] + address)
    assert plain.locator("mark").text_content() == quote
    expect(plain.locator("mark")).to_be_in_viewport()
    plain.context.close()


@pytest.mark.parametrize(
    ("language", "sentence"),
    [("en", "Asking needs JavaScript"), ("zh-Hant", "提問需要 JavaScript"), ("zh-Hans", "提问需要 JavaScript")],
)
@pytest.mark.parametrize("width", [390, 1280])
def test_page_without_scripts_says_so_and_offers_the_documents(
    scripted_url: str, open_page: OpenPage, language: str, sentence: str, width: int
) -> None:
    page = open_page(
        scripted_url, path=f"/?language={language}", ready="#welcome", width=width, java_script_enabled=False
    )
    expect(page.locator("#welcome .fault")).to_contain_text(sentence)
    expect(page.locator("#ask")).to_be_hidden()
    expect(page.locator("main .tool:visible, header .tool:visible")).to_have_count(0)
    page.locator(".titles a:visible").first.click()
    expect(page.locator(".document")).to_be_visible()


# With the scripted chatbot: every state


def test_refusal_shows_what_is_nearest_and_what_could_be_asked(scripted_url: str, open_page: OpenPage) -> None:
    page = open_page(scripted_url)
    ask(page, "Who is the captain?")
    expect(page.locator(".turn .footnote")).to_have_count(0)
    expect(page.get_by_text("Nearest in the documents")).to_be_visible()
    page.locator(".nearest a").first.click()
    assert marked_text(page) == HALF_FARE
    page.locator(".turn .options .ask").first.click()
    expect(page.locator(".turn")).to_have_count(2)
    expect(page.locator(".turn").nth(1).locator(".question")).to_have_text("How many vessels will be replaced?")


def test_steps_preview_and_link_of_a_citation(scripted_url: str, open_page: OpenPage) -> None:
    page = open_page(scripted_url)
    ask(page, "What does it cost?")
    expect(page.locator("#position")).to_have_text("1 of 2")
    first = marked_text(page)
    page.click("#next")
    expect(page.locator("#position")).to_have_text("2 of 2")
    expect(page.locator("#next")).to_be_disabled()
    assert marked_text(page) == HALF_FARE != first
    expect(page.locator(".footnote").nth(1)).to_have_attribute("aria-current", "true")
    page.locator(".footnote").first.hover()
    expect(page.locator("#preview")).to_contain_text("The fare for adults")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator('[data-do="copy-link"]').click()
    link = page.evaluate("navigator.clipboard.readText()")
    page.goto(link)
    assert page.locator("mark").text_content() == HALF_FARE


def test_understood_question_can_be_edited_and_replaces_its_answer(
    scripted_url: str, scripted_chatbot: ScriptedChatbot, open_page: OpenPage
) -> None:
    page = open_page(scripted_url)
    ask(page, "What does it cost?")
    ask(page, "And when?")
    assert [turn.role for turn in scripted_chatbot.histories[-1]] == ["user", "assistant"]
    page.locator('[data-do="edit"]').click()
    page.locator(".edit input").fill("What does a child pay?")
    page.locator(".edit input").press("Enter")
    expect(page.locator(".turn").nth(1).locator(".question")).to_have_text("What does a child pay?")
    expect(page.locator(".turn").nth(1).locator(".statement")).to_have_count(2)
    expect(page.locator(".turn")).to_have_count(2)
    assert len(scripted_chatbot.histories[-1]) == 2


def test_feedback_is_thanked_in_place_and_kept(tmp_path: Path, open_page: OpenPage) -> None:
    database_url = f"sqlite:///{tmp_path / 'footnote.db'}"
    with running(ScriptedChatbot(), database_url) as url:
        page = open_page(url)
        ask(page, "What does it cost?")
        down = page.locator('[data-do="down"]')
        with page.expect_response("**/feedback"):
            down.click()
        expect(down).to_have_attribute("aria-pressed", "true")
        expect(page.locator(".thanks")).to_have_text("Noted. If you like, say what is wrong with it.")
        store = AnswerRecords(database_url)
        assert (store.latest()[0].rating, store.latest()[0].rating_reason) == ("down", "")
        page.get_by_label("The source does not say this").check()
        page.get_by_label("In your own words").fill("The fare is older.")
        page.locator(".feedback button").click()
        expect(page.locator(".thanks")).to_have_text("Thank you.")
        expect(page.locator(".feedback")).to_be_hidden()
        down.click()
        expect(page.locator(".feedback")).to_be_visible()
    kept = store.latest()[0]
    assert (kept.rating, kept.rating_reason, kept.rating_comment) == ("down", "unsupported", "The fare is older.")
    store.close()


def test_conversations_survive_a_restart_and_can_be_deleted(tmp_path: Path, open_page: OpenPage) -> None:
    with running(ScriptedChatbot(), f"sqlite:///{tmp_path / 'footnote.db'}") as url:
        page = open_page(url, expect_faults=True)
        ask(page, "What does it cost?")
    port = int(url.rsplit(":", 1)[1])
    with running(ScriptedChatbot(), f"sqlite:///{tmp_path / 'footnote.db'}", port):
        page.goto(url)
        expect(page.locator(".turn .statement")).to_have_count(2)
        page.click("#new")
        expect(page.locator("#welcome")).to_be_visible()
        page.click("#open-drawer")
        page.get_by_role("button", name="What does it cost?", exact=True).click()
        expect(page.locator(".turn .statement")).to_have_count(2)
        page.click("#open-drawer")
        delete = page.locator("#conversations .tool")
        delete.focus()
        page.keyboard.press("Enter")
        expect(delete).to_have_text("Delete for good?")
        page.keyboard.press("Enter")  # at once, as a key held down would
        expect(delete).to_be_focused()
        page.wait_for_timeout(500)
        page.keyboard.press("Enter")
        expect(page.locator("#conversations")).to_contain_text("No conversations yet.")
        page.reload()
        page.wait_for_selector("body[data-ready]")
        expect(page.locator(".turn")).to_have_count(0)


def test_language_and_theme_are_kept_with_the_conversation_and_the_draft(
    scripted_url: str, open_page: OpenPage
) -> None:
    page = open_page(scripted_url, color_scheme="light")
    ask(page, "What does it cost?")
    page.fill(BOX, "half a question")
    page.click("#theme")
    page.locator(".languages a[lang=zh-Hant]").click()
    page.wait_for_selector("body[data-ready]")
    expect(page.locator("html")).to_have_attribute("lang", "zh-Hant")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.locator(".checked")).to_contain_text("已與 2 段原文核對")
    expect(page.locator(BOX)).to_have_value("half a question")
    expect(page.locator(BOX)).to_have_attribute("placeholder", "就這些文件提問…")


def test_phone_shows_the_source_as_a_sheet(scripted_url: str, open_page: OpenPage) -> None:
    page = open_page(scripted_url, width=390, height=800, has_touch=True, is_mobile=True)
    expect(page.locator("#source")).to_be_hidden()
    ask(page, "What does it cost?")
    expect(page.locator("#source")).to_be_hidden()
    page.locator(".footnote").nth(1).tap()
    assert marked_text(page) == HALF_FARE
    page.wait_for_timeout(300)
    sheet = page.locator("#source").bounding_box()
    assert sheet["width"] == 390
    assert sheet["y"] + sheet["height"] == pytest.approx(800, abs=1)
    expect(page.locator("#pane mark").first).to_be_in_viewport()
    page.locator("#close-source").tap()
    expect(page.locator("#source")).to_be_hidden()


@pytest.mark.parametrize(("path", "width"), [("/", 390), ("/widget", 400)])
def test_line_below_an_approved_answer_is_one_text_on_a_narrow_screen(
    tmp_path: Path, open_page: OpenPage, path: str, width: int
) -> None:
    class Approving(ScriptedChatbot):
        def stream(self, *args: object, **options: object) -> Iterator[Event]:
            for event in super().stream(*args, **options):
                yield approved(event) if isinstance(event, Finished) else event

    def approved(event: Finished) -> Finished:
        approval = Approval(id="a" * 32, date=date(2026, 11, 28))
        provenance = event.answer.provenance.model_copy(update={"approved": approval})
        return Finished(event.answer.model_copy(update={"provenance": provenance}))

    chatbot = Approving()
    chatbot.settings = chatbot.settings.model_copy(update={"widget_origins": ("https://www.example.org",)})
    with running(chatbot, f"sqlite:///{tmp_path / 'footnote.db'}") as url:
        page = open_page(url, path=path, width=width)
        ask(page, "What does it cost?")
        line = page.locator(".checked")
        expect(line).to_contain_text("approved by a person on 28 November 2026")
        # Read in order, no piece of a text stands higher than the one before it; columns do.
        bottoms = line.evaluate(
            """line => {
                const walker = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
                const range = document.createRange();
                const bottoms = [];
                while (walker.nextNode()) {
                    range.selectNodeContents(walker.currentNode);
                    bottoms.push(...[...range.getClientRects()].map((box) => Math.round(box.bottom)));
                }
                return bottoms;
            }"""
        )
        assert bottoms == sorted(bottoms)
        assert 1 < len(set(bottoms)) <= 3


def test_enter_that_ends_a_composition_does_not_send(scripted_url: str, open_page: OpenPage) -> None:
    page = open_page(scripted_url)
    page.fill(BOX, "船費")
    for kind in ("keydown", "keypress"):
        page.locator(BOX).dispatch_event(kind, {"key": "Enter", "keyCode": 229, "isComposing": True})
    page.wait_for_timeout(300)
    expect(page.locator(".turn")).to_have_count(0)
    page.press(BOX, "Enter")
    expect(page.locator(".turn .checked")).to_be_visible()


def test_counter_appears_near_the_limit_and_a_longer_question_stays_in_the_box(
    scripted_url: str, open_page: OpenPage
) -> None:
    page = open_page(scripted_url)
    page.fill(BOX, "x" * 1_500)
    expect(page.locator("#counter")).to_be_empty()
    page.fill(BOX, "x" * 1_900)
    expect(page.locator("#counter")).to_have_text("100 characters left")
    page.fill(BOX, "x" * 2_001)
    page.press(BOX, "Enter")
    expect(page.locator("#counter")).to_have_text("1 characters too many: please shorten the question.")
    expect(page.locator(".turn")).to_have_count(0)


def test_what_cannot_be_asked_is_not_sent(scripted_url: str, open_page: OpenPage) -> None:
    page = open_page(scripted_url)
    sent = []
    page.on("request", lambda request: sent.append(request.url) if "/queue/join" in request.url else None)
    for question in ("", "  ", "x" * 2_001):
        page.fill(BOX, question)
        page.press(BOX, "Enter")
        page.click("#send")
    page.wait_for_timeout(300)
    assert sent == []
    ask(page, "What does it cost?")
    assert len(sent) == 1


def test_typed_question_is_shown_without_invisible_characters(scripted_url: str, open_page: OpenPage) -> None:
    page = open_page(scripted_url)
    ask(page, "Who ap\u202eproved\u202c the \x00cost?")
    assert page.locator(".question").text_content() == "Who approved the cost?"
    page.click("#open-drawer")
    assert page.locator("#conversations .open").text_content() == "Who approved the cost?"
    twice_selected = "a\ufe0f\ufe0e\U000e0100b"
    filtered = page.evaluate(
        """async (twiceSelected) => {
          const { visible } = await import("/page/invisible.js");
          const isTaken = (code) => visible(String.fromCodePoint(code)) !== String.fromCodePoint(code);
          return [[...Array(0x110000).keys()].filter(isTaken), visible(twiceSelected)];
        }""",
        twice_selected,
    )
    assert filtered == [[code for code in range(0x110000) if visible(chr(code)) != chr(code)], visible(twice_selected)]


def test_fault_is_a_sentence_and_can_be_asked_again(scripted_url: str, open_page: OpenPage) -> None:
    page = open_page(scripted_url)
    ask(page, "broken")
    expect(page.locator(".fault")).to_contain_text("run footnote doctor")
    page.locator('[data-do="again"]').click()
    expect(page.locator(".turn .fault")).to_have_count(1)
    expect(page.locator(".turn")).to_have_count(1)


@pytest.fixture(scope="module")
def slow_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(ScriptedChatbot(delay=0.6), f"sqlite:///{tmp_path_factory.mktemp('slow') / 'footnote.db'}") as url:
        yield url


def test_first_sign_is_immediate_and_nothing_shown_moves(slow_url: str, open_page: OpenPage) -> None:
    page = open_page(slow_url)
    page.fill(BOX, "What does it cost?")
    first_sign = page.evaluate(
        """() => new Promise((done) => {
          const began = performance.now();
          new MutationObserver(() => document.querySelector(".turn .question") && done(performance.now() - began))
            .observe(document.querySelector("#turns"), { childList: true });
          document.querySelector("#send").click();
        })"""
    )
    assert first_sign < 100
    expect(page.locator(".status")).to_have_text("Reading 4 passages…")
    expect(page.locator(".passages li")).to_have_count(4)
    expect(page.locator(".statement")).to_have_count(1)
    page.evaluate(
        """() => Promise.all(document.getAnimations()
          .filter(animation => animation.animationName === "arrive")  // it slides in by four pixels
          .map(animation => animation.finished))"""
    )
    before = page.locator(".statement").first.bounding_box()
    statement = page.locator(".statement").first.element_handle()
    expect(page.locator(".checked")).to_be_visible()
    assert page.locator(".statement").first.bounding_box() == before
    assert statement.evaluate("node => node.isConnected")


def test_escape_stops_and_the_question_can_be_asked_again(slow_url: str, open_page: OpenPage) -> None:
    page = open_page(slow_url)
    page.fill(BOX, "What does it cost?")
    page.press(BOX, "Enter")
    expect(page.locator("#stop")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".fault")).to_contain_text("Stopped.")
    expect(page.locator("#send")).to_be_visible()
    page.locator('[data-do="again"]').click()
    expect(page.locator(".checked")).to_be_visible()


def test_reload_while_working_keeps_the_question(slow_url: str, open_page: OpenPage) -> None:
    page = open_page(slow_url, expect_faults=True)
    page.fill(BOX, "What does it cost?")
    page.press(BOX, "Enter")
    expect(page.locator(".status")).to_be_visible()
    page.reload()
    expect(page.locator(".question")).to_have_text("What does it cost?")
    expect(page.locator(".fault")).to_contain_text("interrupted")


def test_broken_connection_is_said_in_a_sentence(tmp_path: Path, open_page: OpenPage) -> None:
    with running(ScriptedChatbot(delay=1.5), f"sqlite:///{tmp_path / 'footnote.db'}") as url:
        page = open_page(url, expect_faults=True)
        page.fill(BOX, "What does it cost?")
        page.press(BOX, "Enter")
        expect(page.locator(".status")).to_be_visible()
    began = time.monotonic()
    expect(page.locator(".fault")).to_contain_text("interrupted")
    assert time.monotonic() - began < 5


def test_many_documents_are_listed_a_few_at_a_time_and_found_by_title(tmp_path: Path, open_page: OpenPage) -> None:
    with running(ScriptedChatbot(invented=10_000), f"sqlite:///{tmp_path / 'footnote.db'}") as url:
        page = open_page(url)
        expect(page.locator(".covers")).to_contain_text("10004 documents")
        titles = page.locator("#pane .titles li:has(a)")
        expect(titles).to_have_count(40)
        page.locator("#pane [data-more]").click()
        expect(titles).to_have_count(80)
        expect(titles.nth(40).locator("a")).to_be_focused()
        page.locator("#pane .find input").fill("chapter 9999")
        expect(titles).to_have_count(1)
        page.locator("#pane .find input").fill("no such chapter")
        expect(page.locator("#pane .titles")).to_have_text("No document has these words in its title.")
        assert len(page.content()) < 100_000


# Safety, access, sizes


def test_hostile_document_runs_nothing_and_loads_nothing(scripted_url: str, open_page: OpenPage) -> None:
    page = open_page(scripted_url)
    ask(page, "What is the secret <img src=x onerror=\"document.title='hacked'\"> ${alert(1)} {{7*7}}?")
    page.locator(".footnote").hover()
    page.locator(".footnote").click()
    page.wait_for_selector("#pane #cited")
    page.locator(".details summary").click()
    page.wait_for_timeout(300)
    assert page.title() == "Footnote"
    for place in ("#turns", "#pane", "#preview", "#conversations"):
        assert page.locator(f"{place} :is(img, script, iframe, form:not(.feedback), svg[onload])").count() == 0
    assert "${alert(1)} {{7*7}}" in page.locator("#pane").inner_text()
    assert "${alert(1)} {{7*7}}" in page.locator(".question").inner_text()
    page.reload()
    expect(page.locator(".checked")).to_be_visible()
    page.goto(scripted_url + page.locator(".footnote").get_attribute("href"))
    assert page.title().startswith("<img")


@pytest.mark.parametrize("width", [320, 390, 768, 899, 900, 1280, 1920])
def test_every_width_fits_and_targets_are_large_enough(scripted_url: str, open_page: OpenPage, width: int) -> None:
    page = open_page(scripted_url, width=width)
    ask(page, "What does it cost?")
    ask(page, "Who is the captain?")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(
        "document.querySelector('#conversation').scrollWidth <= document.querySelector('#conversation').clientWidth"
    )
    if width < 900:
        small = page.evaluate(
            """() => [...document.querySelectorAll("button, .languages a, summary")]
              .filter((node) => node.checkVisibility({ visibilityProperty: true }))
              .map((node) => [node.id || node.className || node.textContent, node.getBoundingClientRect()])
              .filter(([, box]) => box.height < 43.5 || box.width < 43.5)
              .map(([name, box]) => `${name} ${box.width}x${box.height}`)"""
        )
        assert small == []


def test_text_is_set_for_reading(scripted_url: str, open_page: OpenPage) -> None:
    page = open_page(scripted_url, width=1920)
    ask(page, "What does it cost?")
    size, width = page.evaluate(
        """() => {
          const statement = document.querySelector(".statements");
          return [parseFloat(getComputedStyle(statement).fontSize), statement.getBoundingClientRect().width];
        }"""
    )
    assert size == 17
    assert 60 <= width / (size * 0.49) <= 78


def test_printed_footnotes_become_endnotes(scripted_url: str, open_page: OpenPage) -> None:
    page = open_page(scripted_url)
    ask(page, "What does it cost?")
    page.emulate_media(media="print")
    expect(page.locator(".endnotes")).to_be_visible()
    expect(page.locator(".endnotes li")).to_have_count(2)
    expect(page.locator("#ask")).to_be_hidden()
    page.set_viewport_size({"width": 400, "height": 800})
    page.locator(".endnotes .title").first.evaluate("node => (node.textContent = 'annual_report_'.repeat(20))")
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    assert page.locator(".endnotes .title").first.bounding_box()["width"] <= 400
    assert page.locator(".endnotes .title").first.bounding_box()["height"] > 40


def test_markdown_has_footnotes(scripted_url: str, open_page: OpenPage) -> None:
    page = open_page(scripted_url)
    ask(page, "What does it cost?")
    ask(page, "And when?")
    ask(page, "Who is the captain?")
    page.click("#open-drawer")
    with page.expect_download() as download:
        page.click("#download")
    assert download.value.suggested_filename == "footnote-what-does-it-cost.md"
    text = Path(download.value.path()).read_text("utf-8")
    assert "## What does it cost?" in text
    assert "travel at half fare.[^1-2]" in text
    start = REPORT.index(HALF_FARE)
    place = f"page 1; {FERRY}, characters {start}–{start + len(HALF_FARE)})"
    assert f"[^1-2]: “{HALF_FARE}” (Harbour Office: Annual Report on the Ferry Service, {place}" in text
    assert text.count("*Understood as: ") == 1
    assert "## And when?\n\n*Understood as: When will the new ferry vessels enter service?*" in text
    refusal = text.split("## Who is the captain?")[1]
    assert f"**Nearest in the documents**\n\n- “{HALF_FARE}” (" in refusal
    assert place in refusal


def test_empty_index_says_what_to_do(tmp_path: Path, open_page: OpenPage) -> None:
    with running(ScriptedChatbot(empty=True), f"sqlite:///{tmp_path / 'footnote.db'}") as url:
        page = open_page(url)
        expect(page.locator("#welcome .fault")).to_contain_text("footnote index FOLDER")
