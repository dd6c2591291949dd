"""Values to HTML. Everything is escaped by the templates and nothing hidden is shown; no text becomes markup.

The functions return plain strings because they travel to the page as JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bot.answer import Answer, Citation, Statement
from bot.chatbot import Chatbot
from bot.web.icons import icon
from bot.web.invisible import finalize, visible
from bot.web.language import Texts
from bot.web.links import citation_path, place_path
from bot.web.static_files import StaticFolder
from bot.web.text_language import lang, language_tag

Titles = Callable[[str], str]

_HIGH_CONFIDENCE = 0.85
_FAIR_CONFIDENCE = 0.6

PAGE_FILES = StaticFolder(Path(__file__).parent / "static")

environment = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    finalize=finalize,
    trim_blocks=True,
    lstrip_blocks=True,
)
environment.globals.update(
    icon=icon,
    lang=lang,
    language_tag=language_tag,
    citation_path=citation_path,
    place_path=place_path,
    files=f"/page/{PAGE_FILES.version}",
)


def render_page(template: str, texts: Texts, **values: Any) -> str:
    """Return a whole page or a fragment from a template file."""
    return environment.get_template(template).render(t=texts, **values)


def _render_part(macro: str, texts: Texts, *arguments: Any) -> str:
    module = environment.get_template("answer.html").make_module({"t": texts})
    return str(getattr(module, macro)(*arguments)).strip()


def render_status(words: str, texts: Texts) -> str:
    """Return the line that says what is being done."""
    return _render_part("status", texts, words)


def render_fault(words: str, texts: Texts) -> str:
    """Return what went wrong, as a sentence, with a way to ask again."""
    return _render_part("fault", texts, words)


def render_understood(standalone_question: str, texts: Texts) -> str:
    """Return the line that shows how a follow-up was understood."""
    return _render_part("understood", texts, standalone_question)


def render_evidence(passages: Sequence[Citation], texts: Texts) -> str:
    """Return the passages an answer is being looked for in."""
    return _render_part("evidence", texts, passages)


def render_statement(statement: Statement, citations: Sequence[Citation], texts: Texts) -> str:
    """Return one statement with its footnotes."""
    return _render_part("statement", texts, statement, {citation.number: citation for citation in citations})


def render_examples(questions: Sequence[str], texts: Texts) -> str:
    """Return the questions to begin with, as buttons that ask them."""
    return _render_part("examples", texts, questions)


def render_answer(answer: Answer, texts: Texts, title_of: Titles, answerer: str = "extractive") -> dict[str, str]:
    """Return a finished answer as the HTML of its three places: `understood`, `body` and `footer`.

    Args:
        answer: What is shown.
        texts: Words of the page around it.
        title_of: Title of a document by its id, for the passages that were considered.
        answerer: Who should have answered; the reader is told when it was quoted instead.
    """
    changed = visible(answer.standalone_question).strip() != visible(answer.question).strip()
    considered = [(entry, title_of(entry.document_id)) for entry in answer.retrieved]
    made_now = answer.kind != "small_talk" and answer.provenance.approved is None
    stood_in = made_now and answer.provenance.answerer != answerer
    notice = _render_part("notice", texts, texts("quoted_instead")) if stood_in else ""
    body = _render_part(answer.kind, texts, answer, {citation.number: citation for citation in answer.citations})
    footer = _render_part("footer", texts, answer, considered, _confidence_words(answer.confidence, texts))
    return {
        "understood": render_understood(answer.standalone_question, texts) if changed else "",
        "body": notice + body,
        "footer": "" if answer.kind == "small_talk" else footer,
    }


def title_lookup(chatbot: Chatbot) -> Titles:
    """Return how a document's title is found; its id stands in for a document that is gone."""

    def title_of(document_id: str) -> str:
        document = chatbot.document(document_id)
        return document.title if document is not None else document_id

    return title_of


def _confidence_words(confidence: float, texts: Texts) -> str:
    if confidence >= _HIGH_CONFIDENCE:
        return texts("confidence_high")
    return texts("confidence_fair" if confidence >= _FAIR_CONFIDENCE else "confidence_low")
