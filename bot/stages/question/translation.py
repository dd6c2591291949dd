"""Questions and statements across languages: translated by the model, and used only when no number is lost or added.

Words cannot say whether a translation says what the original says. So the original stands beside it, the model sees
nothing else of the documents, and what it writes may bring no address and, among ideographs, no Latin word of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import regex

from bot.answer.answer import Citation, escape_markup
from bot.language_model.session import ModelSession, OptionalModel
from bot.stages.question.clean import Language, detect_language, to_script
from bot.text.facts import missing_facts
from prompts.instructions import instruction
from prompts.replies import reply

_LANGUAGES: dict[Language, str] = {
    "en": "English",
    "zh_hant": "Traditional Chinese",
    "zh_hans": "Simplified Chinese",
}
_LONGEST_RATIO = 6  # an English question has about four letters for each ideograph
_ADDRESS = regex.compile(r"\w+:/|[\w-]+(?:\.[\p{L}-]{2,})+|@\w+", regex.IGNORECASE)
_LATIN = regex.compile(r"\p{Latin}{2,}")


def documents_language(passages: Sequence[str]) -> Language | None:
    """Return the language that most passages are written in; None without passages."""
    languages = [detect_language(passage) for passage in passages]
    return Counter(languages).most_common(1)[0][0] if languages else None


def is_foreign(question: str, language: Language) -> bool:
    """Return whether a question has to be translated to be understood in a language; the Chinese scripts are one."""
    return (detect_language(question) == "en") != (language == "en")


def translate_question(question: str, language: Language, session: ModelSession) -> str:
    """Return a question in another language, or an empty string when the translation cannot be used.

    Raises:
        ModelUnavailableError: The model cannot be used.
        CancelledError: The reader left.
    """
    return _translate("question", question, language, session)


def translate_statement(statement: str, language: Language, session: ModelSession) -> str:
    """Return a statement in another language, or an empty string when a number was lost or it is not in that language.

    Raises:
        ModelUnavailableError: The model cannot be used.
        CancelledError: The reader left.
    """
    return _translate("statement", statement, language, session)


def in_language_of(question: str, statement: str, citations: Sequence[Citation], model: OptionalModel) -> str:
    """Return a verified statement in the language of the question, with the original words; unchanged if it is already.

    Without a usable translation the reader gets the original words, named as such.
    """
    language = detect_language(question)
    if not is_foreign(statement, language):
        return statement
    translated = model.ask(lambda session: translate_statement(statement, language, session), "")
    original = " … ".join(" ".join(citation.quote.split()) for citation in citations)
    if not translated:
        return reply("original_only", language, quote=escape_markup(original))
    return reply(
        "with_original", language, statement=escape_markup(translated.rstrip("。. ")), quote=escape_markup(original)
    )


def _translate(part: str, text: str, language: Language, session: ModelSession) -> str:
    fenced = session.fence.around(text) if part == "statement" else text
    line = session.write_line(
        instruction("translation", "system"),
        instruction("translation", part, language=_LANGUAGES[language], text=fenced),
    )
    if part == "statement" and fenced.partition("\n")[0] in line:
        return ""
    if is_foreign(line, language) or len(line) > _LONGEST_RATIO * len(text) + 20:
        return ""
    if any(fact.kind in ("number", "date") for fact in missing_facts(line, [text])):
        return ""
    if any(fact.kind in ("number", "date") for fact in missing_facts(text, [line])):
        return ""
    if _brings_words(line, text, language):
        return ""
    return to_script(line, language)


def _brings_words(line: str, text: str, language: Language) -> bool:
    patterns = (_ADDRESS,) if language == "en" else (_ADDRESS, _LATIN)
    known = text.casefold()
    return any(found.casefold() not in known for pattern in patterns for found in pattern.findall(line))
