"""Values to HTML, by templates that escape everything and remove invisible characters; no text becomes markup.

The functions return plain strings because these are sent to the page as JSON.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from bot.answer.answer import Answer, Citation, Statement
from bot.chatbot import Chatbot
from bot.web.page.language import Texts, lang, language_tag
from bot.web.page.links import citation_path, place_path
from bot.web.static_files import StaticFolder

_PATHS = {
    "menu": "M4 7h16M4 12h16M4 17h10",
    "close": "M6 6l12 12M18 6L6 18",
    "theme": "M12 3a9 9 0 1 0 0 18zM12 3a9 9 0 0 1 0 18",
    "plus": "M12 5v14M5 12h14",
    "tick": "M5 12.5l4.5 4.5L19 7",
    "up": "M7 11v9H4v-9zM7 11l4-8c1.7 0 2.6 1 2.4 2.6L13 9h5.5c1.4 0 2.3 1.2 2 2.5l-1.6 6.7c-.3 1.1-1.2 1.8-2.3 1.8H7",
    "down": "M7 13V4H4v9zM7 13l4 8c1.7 0 2.6-1 2.4-2.6L13 15h5.5c1.4 0 2.3-1.2 2-2.5l-1.6-6.7C18.6 4.7 17.7 4 16.6 4H7",
    "copy": "M9 9h11v11H9zM15 9V4H4v11h5",
    "edit": "M4 20l1-4L16 5l3 3L8 19zM14 7l3 3",
    "remove": "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13M10.5 11v5M13.5 11v5",
    "open": "M9 5H5v14h14v-4M13 5h6v6M19 5l-9 9",
    "link": "M10 14a4 4 0 0 0 5.7 0l3-3A4 4 0 0 0 13 5.3L11.5 6.8M14 10a4 4 0 0 0-5.7 0l-3 3A4 4 0 0 0 11 18.7l1.5-1.5",
    "previous": "M15 5l-7 7 7 7",
    "next": "M9 5l7 7-7 7",
}


def icon(name: str) -> Markup:
    """Return an icon as inline SVG, hidden from screen readers, which read the label of its button."""
    return Markup(
        '<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d="{}"/></svg>'
    ).format(_PATHS[name])


# Characters that change what is displayed without being seen. Stored texts keep them, because offsets count them;
# joiners stay, because Persian, Indic scripts and emoji need them.
_INVISIBLE = re.compile(
    "["
    "\u0000-\u0008\u000b-\u001f\u007f-\u009f"  # control characters except tab and line feed
    "\u200b\u2060-\u2064\ufeff\u180e\u115f\u1160\u3164\uffa0"  # spaces and fillers without width
    "\u202a-\u202e\u2066-\u2069\u061c"  # directional overrides and isolates
    "\ufff9-\ufffb\U000e0000-\U000e007f"  # annotations and tag characters
    "]"
    # A second variation selector in a row selects nothing; it only carries hidden data.
    "|(?<=[\ufe00-\ufe0f\U000e0100-\U000e01ef])[\ufe00-\ufe0f\U000e0100-\U000e01ef]+"
)
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def visible(text: str) -> str:
    """Return the text without invisible or reordering characters and lone surrogates."""
    return _LONE_SURROGATE.sub("\ufffd", _INVISIBLE.sub("", text))


def stored_offset(text: str, seen: int) -> int:
    """Return the offset in a text of the displayed character number `seen`, counted from 0."""
    offset = 0
    for hidden in _INVISIBLE.finditer(text):
        if seen <= hidden.start() - offset:
            break
        offset += len(hidden.group())
    return min(seen + offset, len(text))


def finalize(value: object) -> object:
    """Apply `visible` to every plain string that a template shows, but not to markup, which was made of such."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


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
    """Return the line that reports progress."""
    return _render_part("status", texts, words)


def render_fault(words: str, texts: Texts) -> str:
    """Return an error message with a button to ask again."""
    return _render_part("fault", texts, words)


def render_understood(standalone_question: str, texts: Texts) -> str:
    """Return the line that shows how a follow-up was understood."""
    return _render_part("understood", texts, standalone_question)


def render_evidence(passages: Sequence[Citation], texts: Texts) -> str:
    """Return the passages that are searched for an answer."""
    return _render_part("evidence", texts, passages)


def render_statement(statement: Statement, citations: Sequence[Citation], texts: Texts) -> str:
    """Return one statement with its footnotes."""
    return _render_part("statement", texts, statement, {citation.number: citation for citation in citations})


def render_examples(questions: Sequence[str], texts: Texts) -> str:
    """Return the questions to begin with, as buttons that ask them."""
    return _render_part("examples", texts, questions)


def render_answer(answer: Answer, texts: Texts, title_of: Titles) -> dict[str, str]:
    """Return a finished answer as the HTML of its three places: `understood`, `body` and `footer`.

    Args:
        answer: What is shown.
        texts: Words of the page around it.
        title_of: Title of a document by its id, for the passages that were considered.
    """
    changed = visible(answer.standalone_question).strip() != visible(answer.question).strip()
    considered = [(entry, title_of(entry.document_id)) for entry in answer.retrieved]
    made_now = answer.kind != "small_talk" and answer.provenance.approved is None
    substituted = made_now and answer.provenance.model_missing
    notice = _render_part("notice", texts, texts("quoted_instead")) if substituted else ""
    body = _render_part(answer.kind, texts, answer, {citation.number: citation for citation in answer.citations})
    footer = _render_part("footer", texts, answer, considered, _confidence_words(answer.confidence, texts))
    return {
        "understood": render_understood(answer.standalone_question, texts) if changed else "",
        "body": notice + body,
        "footer": "" if answer.kind == "small_talk" else footer,
    }


def title_lookup(chatbot: Chatbot) -> Titles:
    """Return a function from document ids to titles; for a document that is gone it returns the id."""

    def title_of(document_id: str) -> str:
        document = chatbot.document(document_id)
        return document.title if document is not None else document_id

    return title_of


def _confidence_words(confidence: float, texts: Texts) -> str:
    if confidence >= _HIGH_CONFIDENCE:
        return texts("confidence_high")
    return texts("confidence_fair" if confidence >= _FAIR_CONFIDENCE else "confidence_low")
