"""Questions and statements across languages: translated by the model, and used only when no number or name is lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from bot.answer import Citation, escape_markers
from bot.consult import Consultation
from bot.facts import missing_facts
from bot.question import Language, detect_language, to_script
from prompts.instructions import instruction
from prompts.replies import reply

Ask = Callable[[Consultation], str]

_LANGUAGES: dict[Language, str] = {
    "en": "English",
    "zh_hant": "Traditional Chinese",
    "zh_hans": "Simplified Chinese",
}
_LONGEST_RATIO = 6  # an English question has about four letters for each ideograph


def documents_language(passages: Sequence[str]) -> Language | None:
    """Return the language that most passages are written in; None without passages."""
    languages = [detect_language(passage) for passage in passages]
    return Counter(languages).most_common(1)[0][0] if languages else None


def is_foreign(question: str, language: Language) -> bool:
    """Return whether a question has to be translated to be understood in a language; the Chinese scripts are one."""
    return (detect_language(question) == "en") != (language == "en")


def translate_question(question: str, language: Language, consultation: Consultation) -> str:
    """Return a question in another language, or an empty string when the translation cannot be used.

    Raises:
        ModelUnavailableError: The model cannot be used.
        CancelledError: The reader left.
    """
    return _translate("question", question, language, consultation)


def translate_statement(statement: str, language: Language, consultation: Consultation) -> str:
    """Return a statement in another language, or an empty string when a number was lost or it is not in that language.

    Raises:
        ModelUnavailableError: The model cannot be used.
        CancelledError: The reader left.
    """
    return _translate("statement", statement, language, consultation)


def in_language_of(
    question: str, statement: str, citations: Sequence[Citation], consult: Callable[[Ask, str], str]
) -> str:
    """Return a verified statement in the language of the question, with the original words; unchanged if it is already.

    Without a usable translation the reader gets the original words, named as such.
    """
    language = detect_language(question)
    if not is_foreign(statement, language):
        return statement
    translated = consult(lambda model: translate_statement(statement, language, model), "")
    original = " … ".join(" ".join(citation.quote.split()) for citation in citations)
    if not translated:
        return reply("original_only", language, quote=escape_markers(original))
    return reply("with_original", language, statement=translated.rstrip("。. "), quote=escape_markers(original))


def _translate(part: str, text: str, language: Language, consultation: Consultation) -> str:
    line = consultation.write_line(
        instruction("translation", "system"),
        instruction("translation", part, language=_LANGUAGES[language], text=text),
    )
    if is_foreign(line, language) or len(line) > _LONGEST_RATIO * len(text) + 20:
        return ""
    if any(fact.kind in ("number", "date") for fact in missing_facts(line, [text])):
        return ""
    if any(fact.kind in ("number", "date") for fact in missing_facts(text, [line])):
        return ""
    return to_script(line, language)
