"""Values to HTML: everything escaped, nothing hidden shown, three languages with the same words."""

from __future__ import annotations

import re
import string
from datetime import date

import pytest

from bot.web.page.language import LANGUAGES, choose_language
from bot.web.page.links import citation_path, decode_id, encode_id
from bot.web.page.render_html import (
    render_answer,
    render_evidence,
    render_examples,
    render_fault,
    render_statement,
    visible,
)
from bot.web.page.source_page import lay_out, window
from index.document import Document, Page, Span
from tests.browser.scripted import DOCUMENTS, FERRY, HOSTILE, HOSTILE_ID, ScriptedChatbot, answer, cite, statements_for

EN = LANGUAGES["en"]
PAYLOADS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</mark></p><svg onload=alert(1)>",
    "{{7*7}}",
    "${alert(1)}",
    "{% for x in [] %}",
    "![x](https://remote.example/x.png)",
    "[link](javascript:alert(1))",
    "<a href='https://remote.example'>x</a>",
    "&lt;script&gt;",
]


def _answer_about(payload: str) -> str:
    citation = cite(1, FERRY, "Harbour Office").model_copy(update={"title": payload, "quote": payload})
    statement = statements_for("fare")[0][0].model_copy(update={"text": payload, "citations": (1,)})
    return render_statement(statement, (citation,), EN) + render_evidence((citation,), EN) + render_fault(payload, EN)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_text_becomes_markup(payload: str) -> None:
    html = _answer_about(payload) + render_examples([payload], EN)
    allowed = {"span", "sup", "a", "h2", "ul", "li", "q", "p", "button", "code"}
    assert set(re.findall(r"<\s*/?([a-zA-Z0-9]+)", html)) <= allowed
    # Outside of quoted attribute values no attribute is ours to begin with "on", and links stay on our own pages.
    attributes = re.findall(r'\s([a-z-]+)="[^"]*"', html)
    assert not [name for name in attributes if name.startswith("on")]
    assert all(link.startswith("/source/") for link in re.findall(r'href="([^"]*)"', html))


def test_templates_do_not_evaluate_values() -> None:
    html = _answer_about("{{7*7}} ${7*7}")
    assert "{{7*7}} ${7*7}" in html
    assert "49" not in html


def test_invisible_characters_are_neither_shown_nor_in_control() -> None:
    assert visible("a\u202eb\u2066c\u200bd\U000e0041e\ufefff\x07g") == "abcdefg"
    assert visible("می\u200cخواهم 👩\u200d💻 क्\u200dष") == "می\u200cخواهم 👩\u200d💻 क्\u200dष"
    assert visible("a\ufe0f\ufe0e\U000e0100b") == "a\ufe0fb"
    assert visible("broken \ud800 half") == "broken \ufffd half"
    assert "\u202e" not in _answer_about("\u202etxt")


def test_answer_has_a_named_link_for_every_footnote() -> None:
    shown = answer("q", "What is the fare?", statements=statements_for("fare"))
    html = render_answer(shown, EN, lambda document_id: document_id)
    for citation in shown.citations:
        assert f'href="{citation_path(citation)}"'.replace("&", "&amp;") in html["body"]
        assert f'aria-label="Source {citation.number}: {citation.title}, page {citation.page}"' in html["body"]
    assert "checked against 2 passages" in html["footer"]
    assert html["understood"] == ""


def test_understood_is_shown_only_when_it_differs() -> None:
    changed = answer("q", "And when?", standalone="When does it start?", statements=statements_for("when"))
    assert "When does it start?" in render_answer(changed, EN, str)["understood"]


def test_refusal_has_labelled_passages_and_no_footnotes() -> None:
    stream = ScriptedChatbot().stream("Who is the captain?")
    refusal = list(stream)[-1].answer
    html = render_answer(refusal, EN, str)
    assert "Nearest in the documents" in html["body"]
    assert "You could ask" in html["body"]
    assert 'class="footnote"' not in html["body"]
    assert "checked" not in re.sub(r"<[^>]*>", "", html["footer"])


def test_clarification_offers_its_readings() -> None:
    refusal = list(ScriptedChatbot().stream("Which ferry?"))[-1].answer
    html = render_answer(refusal, EN, str)["body"]
    assert "Which do you mean?" in html
    assert html.count("data-ask") == 2


def test_small_talk_is_text_only() -> None:
    html = render_answer(list(ScriptedChatbot().stream("Hello"))[-1].answer, EN, str)
    assert html["footer"] == ""
    assert "Ask me anything" in html["body"]


# Links and layout


@pytest.mark.parametrize(
    "document_id", ["a.txt", "../../etc/passwd", "a/b c:d?#%.pdf", "燈籠島.txt", "\ud800", "x" * 500]
)
def test_ids_survive_the_address(document_id: str) -> None:
    assert decode_id(encode_id(document_id)) == document_id
    assert re.fullmatch(r"[\w-]+", encode_id(document_id))


@pytest.mark.parametrize("segment", ["..", "a b", "%2e%2e", "====", "YQ==", "é", "a"])
def test_other_segments_are_no_ids(segment: str) -> None:
    assert decode_id(segment) is None


@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=lambda document: document.title[:20])
def test_layout_keeps_every_word_and_marks_exactly_the_span(document: Document) -> None:
    for start, end in (
        (0, 5),
        (10, 90),
        (len(document.text) - 7, len(document.text)),
        (40, min(900, len(document.text))),
    ):
        cited = Span(start, end)
        paragraphs = lay_out(document, Span(0, len(document.text)), cited)
        shown = "".join(p.before + p.marked + p.after for p in paragraphs)
        assert _without_space(shown) == _without_space(document.text)
        assert _without_space("".join(p.marked for p in paragraphs)) == _without_space(cited.of(document.text))
        assert sum(p.first_mark for p in paragraphs) == 1


def test_hard_wrapped_lines_are_set_as_one_paragraph() -> None:
    text = "\n".join(["A line of a hard-wrapped paragraph that runs on and on like"] * 3 + ["It ends.", "", "Next."])
    document = Document("d", "t", text, "text/plain", "", ())
    assert len(lay_out(document, Span(0, len(text)), None)) == 2


def test_page_marks_stand_where_pages_begin() -> None:
    text = "one\ntwo\nthree"
    pages = (Page(4, Span(0, 4)), Page(5, Span(4, 8)), Page(6, Span(8, 13)))
    document = Document("d", "t", text, "application/pdf", "", pages)
    assert [p.page for p in lay_out(document, Span(0, 13), None)] == [4, 5, 6]


def test_window_is_bounded_and_holds_the_place() -> None:
    text = "x" * 3_000_000
    shown = window(text, Span(1_500_000, 1_500_100), 15_000)
    assert shown.contains(Span(1_500_000, 1_500_100))
    assert len(shown) < 40_000


def _without_space(text: str) -> str:
    return re.sub(r"\s+", "", text)


# Languages


def _leaves(entries: dict, prefix: str = "") -> dict[str, str]:
    found = {}
    for key, value in entries.items():
        if isinstance(value, dict):
            found |= _leaves(value, f"{prefix}{key}.")
        elif isinstance(value, str):
            found[prefix + key] = value
    return found


def test_languages_have_the_same_keys_and_placeholders() -> None:
    placeholders = {
        code: {
            key: {name for _, name, _, _ in string.Formatter().parse(value) if name}
            for key, value in _leaves(dict(texts.entries)).items()
        }
        for code, texts in LANGUAGES.items()
    }
    assert placeholders["en"] == placeholders["zh-Hant"] == placeholders["zh-Hans"]
    assert all(len(texts.entries["months"]) == 12 for texts in LANGUAGES.values())


def test_every_word_of_the_page_is_used() -> None:
    from pathlib import Path

    web = Path(__file__).parent.parent.parent / "bot" / "web"
    code = "".join(
        path.read_text("utf-8")
        for kind in ("**/*.py", "page/templates/*", "page/static/*.js")
        for path in web.glob(kind)
    )
    unused = [key for key in _leaves(dict(EN.entries)) if _stem(key) not in code]
    assert unused == []


def _stem(key: str) -> str:
    key = key.removeprefix("client.")
    for family in ("feedback_", "answerer_", "confidence_"):
        if key.startswith(family) and key not in ("feedback_question", "feedback_comment", "feedback_send"):
            return family
    return re.sub(r"_(one|other)$", "", key)


def test_simplified_and_traditional_are_not_mixed_up() -> None:
    from opencc import OpenCC

    simplified = "".join(_leaves(dict(LANGUAGES["zh-Hans"].entries)).values())
    assert OpenCC("t2s").convert(simplified).replace("繁體", "繁体") == simplified


@pytest.mark.parametrize(
    ("chosen", "header", "code"),
    [
        (None, "", "en"),
        (None, "de-DE,de;q=0.9,en;q=0.8", "en"),
        (None, "zh-HK,zh;q=0.9,en;q=0.8", "zh-Hant"),
        (None, "zh-TW", "zh-Hant"),
        (None, "zh-Hant-CN", "zh-Hant"),
        (None, "yue", "zh-Hant"),
        (None, "zh-CN,zh;q=0.9", "zh-Hans"),
        (None, "zh", "zh-Hans"),
        (None, "en;q=0.4, zh-MO;q=0.9", "zh-Hant"),
        (None, "zh;q=nonsense,,;;q=1", "en"),
        ("zh-Hans", "en", "zh-Hans"),
        ("xx", "zh-HK", "zh-Hant"),
    ],
)
def test_language_follows_choice_then_browser(chosen: str | None, header: str, code: str) -> None:
    assert choose_language(chosen, header).code == code


def test_dates_are_said_in_the_fewest_words() -> None:
    today = date(2025, 11, 22)
    assert EN.indexed(today, today) == "indexed today"
    assert EN.indexed(date(2025, 11, 21), today) == "indexed yesterday"
    assert EN.indexed(date(2025, 1, 3), today) == "indexed 3 January 2025"
    assert LANGUAGES["zh-Hant"].indexed(date(2025, 1, 3), today) == "2025年1月3日建立索引"


def test_hostile_document_is_only_text() -> None:
    assert HOSTILE_ID in DOCUMENTS
    assert "<script>" in HOSTILE
