"""No text runs, loads or becomes a form, wherever it comes from and wherever it is shown, in a real Chromium."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from markdown_it import MarkdownIt
from playwright.sync_api import Browser, BrowserContext, Frame, Page, expect

from bot.chatbot import Chatbot
from bot.language_model import Prompt
from bot.web.page.links import encode_id, place_path
from tests.browser.conftest import PATIENCE_MS
from tests.browser.hostile import BATCHES, HostileChatbot, question_for
from tests.browser.other_site import OtherSite, other_site
from tests.browser.payloads import OFF_SITE, PAYLOADS
from tests.browser.running import running
from tests.support.scripted_model import ScriptedModel

pytestmark = pytest.mark.browser

BOX = "#question textarea"
HARMLESS = {"h1", "h2", "p", "em", "strong", "ul", "ol", "li", "br"}
# Whatever is not of these, is theirs. What Gradio makes lies below #ask.
FOREIGN = r"""() => {
  const ours = new Set(("html head body header main nav aside section article template h1 h2 h3 p div span sup a " +
    "ul ol li pre q button svg path mark details summary dl dt dd em code blockquote form fieldset legend label " +
    "input textarea script link meta title gradio-app").split(" "));
  const ourForms = ".footer > .feedback, section > .find, .shared > .own";
  const ourLink = /^(\/(source|answer)\/|\/my-data$|\/\?language=|\/$|#)/;
  const loading = /^(on|srcset|src$|action$|formaction|background|poster|ping|xlink)/;
  const theirs = [];
  for (const node of document.querySelectorAll("*")) {
    if (node.closest("#ask, head")) continue;
    const tag = node.localName;
    const isTheirs =
      (!ours.has(tag) && !node.matches("#welcome > noscript")) ||
      ["link", "meta", "title"].includes(tag) ||
      (tag === "svg" && !node.matches(".icon")) ||
      (tag === "script" && !node.matches("body > #texts")) ||
      (tag === "form" && !node.matches(ourForms)) ||
      (tag === "a" && !ourLink.test(node.getAttribute("href"))) ||
      (!node.matches(ourForms) && [...node.attributes].some(({ name }) => loading.test(name))) ||
      /url|image-set/.test(node.getAttribute("style") ?? "");
    if (isTheirs) theirs.push(node.outerHTML);
  }
  if (document.querySelectorAll("base, head meta[http-equiv]").length) theirs.push(document.head.innerHTML);
  return theirs.map((html) => html.slice(0, 200));
}"""
OPEN_EVERY_FOOTNOTE = """async (links) => {
  const done = [];
  for (const link of document.querySelectorAll(links)) {
    link.dispatchEvent(new MouseEvent("mouseover", { bubbles: true }));
    link.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true }));
    const wanted = link.getAttribute("href");
    for (let waited = 0; waited < 200; waited += 1) {
      if (document.querySelector("#pane .document")?.dataset.place === wanted) break;
      await new Promise((next) => setTimeout(next, 10));
    }
    done.push(document.querySelector("#pane mark")?.textContent);
  }
  return done;
}"""


class Watched:
    """A browser that tells what was run and what was asked for elsewhere."""

    def __init__(self, context: BrowserContext, *origins: str) -> None:
        self.ran: list[object] = []
        self.left: list[str] = []
        self.context = context
        context.expose_function("canary", lambda *said: self.ran.append(said))
        context.on("page", lambda page: page.on("dialog", self._dismiss))
        context.on("request", lambda request: self._request(request.url, origins))
        context.route(re.compile(f"^{re.escape(OFF_SITE)}"), lambda route: route.abort())

    def _dismiss(self, dialog: object) -> None:
        self.ran.append(dialog)
        dialog.dismiss()

    def _request(self, url: str, origins: tuple[str, ...]) -> None:
        if not url.startswith((*origins, "data:image/svg+xml,%3Csvg", "blob:")):
            self.left.append(url)

    def page(self, address: str) -> Page:
        page = self.context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto(address)
        return page

    def expect_nothing(self, page: Page | Frame, place: str) -> None:
        """Expect that what is on the page now is ours, and that nothing has happened."""
        assert page.evaluate(FOREIGN) == [], place
        assert (self.ran, self.left) == ([], []), place


@pytest.fixture(scope="module")
def site() -> Iterator[OtherSite]:
    with other_site() as site:
        yield site


@pytest.fixture(scope="module")
def hostile_url(site: OtherSite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    data = tmp_path_factory.mktemp("hostile")
    with running(HostileChatbot((site.origin,)), f"sqlite:///{data / 'footnote.db'}") as url:
        site.footnote = url
        yield url


@pytest.fixture
def watched(browser: Browser, hostile_url: str, site: OtherSite) -> Iterator[Watched]:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    yield Watched(context, hostile_url, site.origin)
    context.close()


def ask(page: Page | Frame, question: str) -> None:
    """Ask, and wait for the answer."""
    before = page.locator(".turn").count()
    page.fill(BOX, question)
    page.press(BOX, "Enter")
    expect(page.locator(".turn").nth(before).locator(".checked, .fault").first).to_be_attached(timeout=PATIENCE_MS)


def test_payloads_bite_where_text_is_taken_for_markup(browser: Browser) -> None:
    """The traps are set: in a page that trusts text, most payloads run, load or show something."""
    context = browser.new_context()
    watched = Watched(context, "about:", "data:", "javascript:")
    page = watched.page("about:blank")
    made = page.evaluate(
        """payloads => payloads.map((text) => {
          const frame = document.body.appendChild(document.createElement("iframe"));
          frame.contentWindow.canary = window.canary;
          frame.contentDocument.body.innerHTML = text;
          return Boolean(frame.contentDocument.body.firstElementChild);
        })""",
        PAYLOADS,
    )
    page.wait_for_timeout(1_000)
    context.close()
    assert len(PAYLOADS) >= 150
    assert sum(made) >= 100
    assert len(set(map(str, watched.ran))) >= 15
    assert len(set(watched.left)) >= 25


@pytest.mark.timeout(240)
def test_no_payload_runs_loads_or_shows_anything_on_the_page(
    watched: Watched, hostile_url: str, tmp_path: Path
) -> None:
    page = watched.page(hostile_url)
    page.wait_for_selector("body[data-ready]")
    for shown in range(40, len(PAYLOADS), 40):
        expect(page.locator("#pane .titles li:has(a)")).to_have_count(shown)
        page.locator("#pane [data-more]").click()
    expect(page.locator("#pane .titles li")).to_have_count(len(PAYLOADS))
    watched.expect_nothing(page, "titles and examples")
    for batch, payloads in enumerate(BATCHES):
        ask(page, question_for(batch, "answer"))
        turn = page.locator(".turn").last
        shown = turn.locator(".statement .words").all_text_contents()
        assert [text.replace("［", "[").replace("］", "]") for text in shown] == list(payloads)
        ask(page, question_for(batch, "refusal"))
        ask(page, question_for(batch, "fault"))
        watched.expect_nothing(page, f"batch {batch}")
    marked = page.evaluate(OPEN_EVERY_FOOTNOTE, ".footnote")
    assert len(marked) == len(PAYLOADS)
    assert "".join("".join(mark or "" for mark in marked).split())
    for summary in page.locator(".details summary").all():
        summary.evaluate("node => node.click()")
    page.click("#open-drawer")
    watched.expect_nothing(page, "sources, details and drawer")
    with page.expect_download() as download:
        page.click("#download")
    markdown = Path(download.value.path()).read_text("utf-8")
    page.emulate_media(media="print")
    (tmp_path / "printed.pdf").write_bytes(page.pdf())
    watched.expect_nothing(page, "print")
    page.emulate_media(media="screen")
    page.reload()
    expect(page.locator(".turn .checked")).to_have_count(2 * len(BATCHES))
    watched.expect_nothing(page, "the conversation again")

    rendered = MarkdownIt("commonmark", {"html": True}).enable("table").render(markdown)
    assert set(re.findall(r"<\s*/?([a-zA-Z]\w*)", rendered)) <= HARMLESS
    exported = watched.page("about:blank")
    exported.set_content(rendered)
    exported.wait_for_timeout(200)
    assert (watched.ran, watched.left) == ([], [])

    for index in range(len(BATCHES)):
        answered = page.locator(".turn").nth(3 * index)
        answered.locator('[data-do="share"]').evaluate("node => node.click()")
        link = answered.locator(".thanks a")
        link.wait_for(state="attached")
        shared = watched.page(hostile_url + str(link.get_attribute("href")))
        expect(shared.locator(".sources > li")).to_have_count(len(BATCHES[index]))
        watched.expect_nothing(shared, f"shared answer {index}")
        shared.close()


@pytest.mark.timeout(240)
@pytest.mark.parametrize("step", [6, pytest.param(1, marks=pytest.mark.slow)])
def test_no_payload_runs_loads_or_shows_anything_on_a_page_of_its_own(
    watched: Watched, hostile_url: str, step: int
) -> None:
    page = watched.page(hostile_url + "/source/nothing")
    for payload in PAYLOADS[::step]:
        page.goto(hostile_url + place_path(payload, 11, 11 + len(payload)), wait_until="load")
        assert page.locator("mark").first.is_visible()
        assert page.url.startswith(hostile_url)
        watched.expect_nothing(page, payload)
    for payload in PAYLOADS[:: 10 * step]:
        asked = quote(payload, safe="")
        for path in (f"/source/{encode_id(payload + 'x')}", f"/source/{asked}", f"/answer/{asked}"):
            page.goto(hostile_url + path, wait_until="load")
            watched.expect_nothing(page, path)
        page.goto(f"{hostile_url}/?language={quote(payload)}", wait_until="domcontentloaded")
        watched.expect_nothing(page, "language")


def test_no_payload_runs_loads_or_shows_anything_in_the_widget(watched: Watched, site: OtherSite) -> None:
    page = watched.page(site.origin + "/")
    page.get_by_role("button", name="Ask the documents").click()
    frame = page.frame_locator("iframe")
    frame.locator("body[data-ready]").wait_for()
    inside = page.frames[1]
    for batch in range(len(BATCHES)):
        ask(inside, question_for(batch, "answer"))
    inside.evaluate(OPEN_EVERY_FOOTNOTE, ".turn:last-child .footnote")
    watched.expect_nothing(inside, "widget")


def test_hostile_files_and_a_hostile_model_do_nothing(
    browser: Browser,
    index_folder: Callable,
    open_chatbot: Callable[..., Chatbot],
    tmp_path: Path,
) -> None:
    """The same with the real chatbot: files with such names and texts, a model that writes such things."""
    folder = tmp_path / "documents"
    folder.mkdir()
    for number, payload in enumerate(PAYLOADS):
        name = re.sub(r"[/\0\n]", "∕", payload)[:60]
        (folder / f"{number} {name}.txt").write_text(
            f"Vessel {number} {payload}\n\nThe home port of vessel number {number} is Harbour{number} {payload}.\n",
            "utf-8",
        )
    index_folder(folder, tmp_path / "data")
    payload_of = iter(PAYLOADS * 20)

    def write(prompt: Prompt) -> str:
        number = re.search(r"^\[(\d+)\]", prompt.user, re.MULTILINE)
        return f"Yes [{number[1] if number else 1}] {next(payload_of)}"

    chatbot = open_chatbot(tmp_path / "data", ScriptedModel(write=write), visitor_requests="", visitor_questions="")
    with running(chatbot, chatbot.settings.catalogue_url()) as url:
        context = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
        watched = Watched(context, url)
        page = watched.page(url)
        page.wait_for_selector("body[data-ready]")
        for number in range(0, len(PAYLOADS), 16):
            ask(page, f"What is the home port of vessel number {number}? {PAYLOADS[number]}")
        watched.expect_nothing(page, "real answers")
        page.evaluate(OPEN_EVERY_FOOTNOTE, ".footnote")
        watched.expect_nothing(page, "real sources")
        assert page.locator(".statement").count() >= 3
        context.close()
