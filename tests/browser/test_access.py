"""Everybody can use the page: axe-core on every state, keyboard alone, what is announced, zoom, three languages."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from itertools import product

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import PATIENCE_MS, OpenPage, without_limits
from tests.browser.report_page import NETWORKS, visit
from tests.browser.running import running
from tests.browser.scripted import FERRY, HALF_FARE, ScriptedChatbot

pytestmark = pytest.mark.browser

BOX = "#question textarea"
LANGUAGES = ("en", "zh-Hant", "zh-Hans")
# Every rule of axe-core, and the one of WCAG 2.2 that it leaves out by default.
RULES = {"rules": {"target-size": {"enabled": True}}}
# Words that are the same in every language: names, and what is typed into a terminal.
SAME_EVERYWHERE = {"Footnote", "footnote", "Markdown", "English", "index", "FOLDER", "doctor", "run", "JavaScript"}
# Text, names and hints on the page that are not marked as another language than the page's.
OF_THE_PAGE = """() => {
  const page = document.documentElement.lang;
  const own = (node) =>
    (node.closest("[lang]")?.lang ?? page) === page &&
    !node.closest("script, style, template, [translate=no], gradio-app, #preview .place, #conversations");
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const { parentElement, data } = walker.currentNode;
    if (!own(parentElement)) continue;
    // Where scripts run, what stands in a noscript is markup that nobody read.
    const unread = parentElement.localName === "noscript";
    found.push(unread ? new DOMParser().parseFromString(data, "text/html").body.textContent : data);
  }
  for (const node of document.querySelectorAll("[aria-label], [placeholder], [title]"))
    if (own(node) && !node.matches(".footnote, .tool[lang]"))
      found.push(...["aria-label", "placeholder", "title"].map((name) => node.getAttribute(name) ?? ""));
  return found.filter((text) => text.trim());
}"""


@pytest.fixture(scope="module")
def slow_url(scripted_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    httpx.get(f"{scripted_url}/config", timeout=60, trust_env=False)  # two Gradios cannot be built at the same time
    chatbot = without_limits(ScriptedChatbot(delay=0.6, invented=100))
    chatbot.settings = chatbot.settings.model_copy(update={"widget_origins": ("https://example.org",)})
    with running(chatbot, f"sqlite:///{tmp_path_factory.mktemp('slow') / 'footnote.db'}") as url:
        yield url


def ask(page: Page, question: str, until: str = ".checked, .fault") -> None:
    before = page.locator(".turn").count()
    page.fill(BOX, question)
    page.press(BOX, "Enter")
    expect(page.locator(".turn").nth(before).locator(until).first).to_be_visible(timeout=PATIENCE_MS)


class States:
    """Looks at one state of the page after the other: axe-core, and words of another language.

    Args:
        page: The page.
        language: Its language.
        same: Words that are the same in every language.

    Attributes:
        found: What is wrong, each with the state.
    """

    def __init__(self, page: Page, language: str, same: Collection[str] = SAME_EVERYWHERE) -> None:
        self._page = page
        self._same = same
        self._language = language
        self.found: list[str] = []

    def look(self, state: str) -> None:
        violations = Axe().run(self._page, options=RULES).response["violations"]
        self.found += [f"{state}: {one['id']}: {[node['html'][:200] for node in one['nodes']]}" for one in violations]
        if self._language != "en":
            words = {word for text in self._page.evaluate(OF_THE_PAGE) for word in re.findall(r"[A-Za-z]{3,}", text)}
            self.found += [f"{state}: not translated: {word}" for word in words.difference(self._same)]


def open_in(browser: Browser, language: str, theme: str, width: int) -> tuple[BrowserContext, Page]:
    context = browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme=theme, locale=language, reduced_motion="reduce"
    )
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    return context, page


@pytest.mark.parametrize(
    ("language", "theme", "width"),
    [(*both, 1280 if number % 2 else 390) for number, both in enumerate(product(LANGUAGES, ("light", "dark")))],
)
def test_axe_and_translations_find_nothing_in_any_state(
    browser: Browser, scripted_url: str, slow_url: str, language: str, theme: str, width: int
) -> None:
    context, page = open_in(browser, language, theme, width)
    states = States(page, language)
    page.goto(scripted_url)
    page.wait_for_selector("body[data-ready]")
    assert page.locator("html").get_attribute("lang") == language
    expect(page.locator("#examples .ask")).to_have_count(4)
    states.look("first sight")
    ask(page, "What does it cost?")
    page.locator('[data-do="down"]').click()
    page.locator(".details summary").click()
    page.locator('[data-do="share"]').click()
    page.wait_for_selector(".thanks a")
    states.look("answer, details, feedback, link")
    shared = str(page.locator(".thanks a").get_attribute("href"))
    page.locator(".footnote").first.click()
    page.wait_for_selector("#pane #cited")
    page.wait_for_timeout(300)
    states.look("source")
    standalone = str(page.locator("#pane .document header a").get_attribute("href"))
    page.keyboard.press("Escape")
    ask(page, "And when?")
    page.locator('[data-do="edit"]').click()
    ask(page, "Who is the captain?")
    ask(page, "Which ferry?")
    states.look("editing, refusal, clarification, a long conversation")
    ask(page, "broken")
    page.click("#open-drawer")
    states.look("fault, drawer")
    for state, path in {
        "standalone source": standalone,
        "missing source": "/source/nothing",
        "shared answer": shared,
        "missing answer": "/answer/nothing",
    }.items():
        page.goto(scripted_url + path)
        states.look(state)
    page.goto(f"{slow_url}/widget?language={language}")
    page.wait_for_selector("body[data-ready]")
    states.look("widget, many documents")
    ask(page, "What does it cost?", until=".statement")
    states.look("working")
    context.close()
    assert states.found == []


# Keyboard alone


def tab_to(page: Page, selector: str, key: str = "Tab") -> None:
    """Press Tab until something has the focus; on the way everything focused is in sight, and seen to be focused."""
    for _ in range(60):
        page.keyboard.press(key)
        page.wait_for_timeout(20)
        said = page.evaluate(
            """(selector) => {
              const node = document.activeElement;
              if (node === document.body) return "";
              const style = getComputedStyle(node);
              const box = node.getBoundingClientRect();
              const middle = box.y + Math.min(box.height, innerHeight) / 2;
              const top = document.elementFromPoint(box.x + box.width / 2, middle);
              const name = node.id || node.className || node.localName;
              const wrapped = node.closest("#composer, #opening");
              if (style.outlineStyle === "none" && !wrapped && node.tabIndex >= 0) return `no focus ring: ${name}`;
              if (top && !node.contains(top) && !top.contains(node) && !node.parentElement.contains(top))
                return `hidden by ${top.className}: ${name}`;
              return node.matches(selector) ? "there" : "";
            }""",
            selector,
        )
        if said == "there":
            return
        assert said == "", said
    raise AssertionError(f"Tab never reaches {selector}")


def test_a_whole_visit_by_keyboard(scripted_url: str, open_page: OpenPage) -> None:
    page = open_page(scripted_url)
    tab_to(page, ".skip", "Shift+Tab")
    expect(page.locator(".skip")).to_be_focused()
    expect(page.locator(".skip")).to_be_in_viewport()
    page.keyboard.press("Enter")
    tab_to(page, BOX)
    page.keyboard.type("What does it cost?")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("For a child?")
    page.keyboard.press("Enter")
    expect(page.locator(".question")).to_have_text("What does it cost?\nFor a child?")
    expect(page.locator(".checked")).to_be_visible()

    tab_to(page, ".footnote", "Shift+Tab")
    expect(page.locator("#preview")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#preview")).to_be_hidden()
    page.keyboard.press("Shift+Tab")
    expect(page.locator(".footnote").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#pane")).to_be_focused()
    tab_to(page, "#next")
    page.keyboard.press("Enter")
    page.wait_for_function(
        "quote => document.querySelector('#pane mark')?.textContent === quote", arg=HALF_FARE, timeout=PATIENCE_MS
    )
    page.keyboard.press("Escape")
    expect(page.locator(".footnote").nth(1)).to_be_focused()

    tab_to(page, '[data-do="down"]')
    page.keyboard.press("Enter")
    expect(page.locator(".feedback input").first).to_be_focused()
    page.keyboard.press("Space")
    tab_to(page, ".feedback [name=comment]")
    page.keyboard.type("It was dearer.")
    page.keyboard.press("Enter")
    expect(page.locator(".thanks")).to_have_text("Thank you.")

    tab_to(page, "#open-drawer", "Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#close-drawer")).to_be_focused()
    tab_to(page, "#conversations .tool")
    page.keyboard.press("Enter")
    page.wait_for_timeout(500)
    page.keyboard.press("Enter")
    expect(page.locator("#conversations")).to_contain_text("No conversations yet.")
    page.keyboard.press("Escape")
    expect(page.locator("#open-drawer")).to_be_focused()
    expect(page.locator("#welcome")).to_be_visible()


# What is announced


@pytest.mark.parametrize(
    ("question", "announced"),
    [
        ("What does it cost?", "Answer: The fare for adults is"),
        ("Who is the captain?", "No answer: The documents do not say"),
        ("broken", "The index cannot be read just now"),
    ],
)
def test_what_came_of_a_question_is_announced_once(
    slow_url: str, open_page: OpenPage, question: str, announced: str
) -> None:
    page = open_page(slow_url)
    assert page.locator(":is([aria-live], [role=status], [role=alert], [role=log]):not(#ask *)").count() == 1
    page.evaluate(
        """() => {
          window.announced = [];
          new MutationObserver(() => announced.push(document.querySelector("#announcer").textContent))
            .observe(document.querySelector("#announcer"), { childList: true });
        }"""
    )
    ask(page, question)
    page.wait_for_timeout(300)
    heard = [words for words in page.evaluate("announced") if words]
    assert len(heard) == 1
    assert heard[0].startswith(announced)
    assert "[1]" not in heard[0]


def test_texts_are_marked_with_their_own_language(scripted_url: str, browser: Browser) -> None:
    context, page = open_in(browser, "zh-Hant", "light", 1280)
    page.goto(scripted_url)
    page.wait_for_selector("body[data-ready]")
    ask(page, "What does it cost?")
    page.locator(".footnote").first.click()
    page.wait_for_selector("#pane #cited")
    for place in (".question", ".statement .words", "#pane .document h2", "#pane .text", ".endnotes q"):
        assert page.locator(place).first.get_attribute("lang") == "en", place
    ask(page, "平日成人船費是多少？")
    assert page.locator(".turn").last.locator(".statement .words").get_attribute("lang") == "zh-Hant"
    context.close()


# Zoom, spacing, motion


@pytest.mark.parametrize(
    ("width", "height", "style"),
    [
        (640, 400, ""),  # 1280 x 800 at 200%
        (320, 256, ""),  # 1280 x 1024 at 400%
        (1280, 800, "html { font-size: 212.5% !important }"),  # text alone at 200%
        (
            320,
            640,
            "* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important }",
        ),
    ],
)
def test_nothing_is_lost_when_it_is_enlarged(
    scripted_url: str, open_page: OpenPage, width: int, height: int, style: str
) -> None:
    page = open_page(scripted_url, width=width, height=height)
    if style:
        page.add_style_tag(content=style)
    ask(page, "What does it cost?")
    for selector in (".footnote", "#source", ".details summary", '[data-do="down"]', BOX, "#new", "#open-drawer"):
        target = page.locator(selector).first
        if selector == "#source" and width < 900:
            continue
        target.scroll_into_view_if_needed()
        expect(target).to_be_in_viewport(ratio=0.5 if selector != "#source" else 0.1)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("document.querySelector('#conversation').clientHeight") >= 90
    assert page.evaluate(
        "document.querySelector('#conversation').scrollWidth <= document.querySelector('#conversation').clientWidth"
    )
    page.locator(".footnote").first.click()
    page.wait_for_selector("#pane #cited")
    page.wait_for_timeout(250)
    expect(page.locator("#pane mark").first).to_be_in_viewport()
    assert page.evaluate("document.querySelector('#pane').scrollWidth <= document.querySelector('#pane').clientWidth")


def test_nothing_moves_for_who_asked_for_that(slow_url: str, browser: Browser) -> None:
    context, page = open_in(browser, "en", "light", 1280)
    page.goto(slow_url)
    page.wait_for_selector("body[data-ready]")
    page.fill(BOX, "What does it cost?")
    page.press(BOX, "Enter")
    for _ in range(20):
        page.wait_for_timeout(100)
        assert page.evaluate("document.getAnimations().length") == 0
    context.close()


# A slow line


def test_the_box_can_be_used_soon_on_a_slow_line(scripted_url: str, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 780})
    measured = visit(context, scripted_url, NETWORKS["slow line"])
    context.close()
    assert measured["box_usable_seconds"] <= 15
    assert measured["kilobytes_until_box"] <= 60
    assert measured["kilobytes"] <= 280


def test_nothing_is_asked_of_anybody_else(scripted_url: str, browser: Browser) -> None:
    context = browser.new_context()
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    page = context.new_page()
    page.goto(scripted_url)
    page.wait_for_selector("body[data-ready]")
    ask(page, "What does it cost?")
    page.locator(".footnote").first.click()
    page.wait_for_selector("#pane #cited")
    page.goto(f"{scripted_url}/source/{FERRY}")
    context.close()
    assert [url for url in asked if not url.startswith((scripted_url, "data:"))] == []
