"""Each draft is checked against its sources before anybody sees it: it passes, is repaired, or gives way to a quote."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from bot.answer.answer import Statement, Support, escape_markup
from bot.answer.draft import DocumentPlace, Draft, Footnotes, Verified
from bot.text.facts import missing_facts
from bot.text.word_order import is_shortened_quote, new_words

SupportOdds = Callable[[str, Sequence[str]], float]
"""Returns the log-odds (natural logarithm) that the sources, the second argument, say the statement."""

# Log-odds above which the words of the sources in another order count as said: 1.1 is three to one. What is left by
# then is who did what, where a small model that merely leans to yes is often wrong.
SUPPORT_THRESHOLD = 1.1
# A repair looks at this many other places, and cites at most so many together.
_REPAIR_PLACES = 12
_REPAIR_SIZE = 3


@dataclass(frozen=True, slots=True)
class SupportCheck:
    """Whether a statement may be shown.

    Attributes:
        passed: Whether its sources say it.
        problems: What stands against it, each a short phrase.
        by: Who decided: words (facts, shortened quotes) or a language model.
    """

    passed: bool
    problems: tuple[str, ...]
    by: Literal["words", "model"]


def verify_draft(
    draft: Draft,
    footnotes: Footnotes,
    *,
    context: Sequence[str] = (),
    alternatives: Sequence[DocumentPlace] = (),
    support_odds: SupportOdds | None = None,
) -> Verified | None:
    """Return what of a draft may be shown: itself, itself on better places, the quote of its best place, or None.

    A draft that is, word for word, the text of its places is a quote; any other is checked as a statement.

    Args:
        draft: From an answerer.
        footnotes: Numbers of this answer; only places that are shown take one.
        context: Title, sentence before, question: may supply names, nothing else.
        alternatives: Other sentences of the evidence, best first, that a repair may cite.
        support_odds: A model that is asked about words in another order; without one they do not pass.
    """
    own = [place for place in draft.sources if _text_of(place)]
    if _is_exact(draft):
        return _show(draft.text, draft.sources, "quoted", "as_written", footnotes)
    text = escape_markup(" ".join(draft.text.split()))
    needed = _needed(text, own, context)
    if text and check_statement(text, [_text_of(place) for place in needed], context, support_odds).passed:
        return _show(text, needed, "supported", "as_written", footnotes)
    repaired = _repair(text, own, alternatives, context)
    if repaired and check_statement(text, [_text_of(place) for place in repaired], context, support_odds).passed:
        return _show(text, repaired, "supported", "repaired", footnotes)
    if not own:
        return None
    best = min(own, key=lambda place: len(new_words(text, [_text_of(place)])))
    return _show(escape_markup(_text_of(best)), [best], "quoted", "quoted", footnotes)


def check_statement(
    text: str, sources: Sequence[str], context: Sequence[str] = (), support_odds: SupportOdds | None = None
) -> SupportCheck:
    """Return whether sources say a statement.

    A number, date, time, name, negation or comparison that they do not state fails it, and so does any other word with
    content that stands neither there nor in the context, whatever a language model says: a document may have told the
    model what to write and what to think of it. A shortened quote passes by words. The same words in another order pass
    where a language model says so.

    Args:
        text: The statement.
        sources: The cited sentences, in the order they are cited.
        context: Title, sentence before, question: may supply names, nothing else.
        support_odds: Asked last; None fails what words cannot pass.
    """
    if not any(source.strip() for source in sources):
        return SupportCheck(passed=False, problems=("nothing is cited",), by="words")
    missing = missing_facts(text, sources, context)
    if missing:
        return SupportCheck(passed=False, problems=tuple(dict.fromkeys(fact.problem() for fact in missing)), by="words")
    if is_shortened_quote(text, sources):
        return SupportCheck(passed=True, problems=(), by="words")
    if fresh := new_words(text, sources, context):
        return SupportCheck(passed=False, problems=(f"new words: {', '.join(fresh)}",), by="words")
    problem = "the words stand in another order than in the sources"
    if support_odds is None:
        return SupportCheck(passed=False, problems=(problem,), by="words")
    passed = support_odds(text, sources) > SUPPORT_THRESHOLD
    return SupportCheck(passed=passed, problems=() if passed else (problem,), by="model")


def _repair(
    text: str, own: Sequence[DocumentPlace], alternatives: Sequence[DocumentPlace], context: Sequence[str]
) -> list[DocumentPlace]:
    """Return the smallest set of places that states every fact and holds the words the draft's own lack, or none.

    Being alike is not enough: a place is only added for a fact or word that it brings.
    """
    sources = [_text_of(place) for place in own]
    facts, words = missing_facts(text, sources, context), new_words(text, sources, context)
    others = [place for place in alternatives if place not in own and _text_of(place)][:_REPAIR_PLACES]
    if not text or not (facts or words) or new_words(text, [*sources, *map(_text_of, others)], context):
        return []
    helpful = [place for place in others if _brings(place, text, sources, context, len(facts) + len(words))]
    for places in _sets([*own, *helpful]):
        cited = [_text_of(place) for place in places]
        if not new_words(text, cited, context) and not missing_facts(text, cited, context):
            return list(places)
    return []


def _needed(text: str, own: Sequence[DocumentPlace], context: Sequence[str]) -> list[DocumentPlace]:
    """Return the fewest of the cited places that state as much of the text as all of them: models cite generously."""
    sources = [_text_of(place) for place in own]
    facts, words = len(missing_facts(text, sources, context)), set(new_words(text, sources, context))
    for places in _sets(own):
        cited = [_text_of(place) for place in places]
        if len(missing_facts(text, cited, context)) <= facts and set(new_words(text, cited, context)) <= words:
            return list(places)
    return list(own)


def _brings(place: DocumentPlace, text: str, sources: Sequence[str], context: Sequence[str], lacking: int) -> bool:
    together = [*sources, _text_of(place)]
    return len(missing_facts(text, together, context)) + len(new_words(text, together, context)) < lacking


def _sets(places: Sequence[DocumentPlace]) -> Iterator[tuple[DocumentPlace, ...]]:
    for size in range(1, _REPAIR_SIZE + 1):
        yield from combinations(places, size)


def _is_exact(draft: Draft) -> bool:
    if not draft.sources or not all(map(_text_of, draft.sources)):
        return False
    return escape_markup(" ".join(map(_text_of, draft.sources))) == draft.text


def _text_of(place: DocumentPlace) -> str:
    """Return the text of a place in one line."""
    document, span = place
    return " ".join(span.of(document.text).split())


def _show(
    text: str,
    places: Sequence[DocumentPlace],
    support: Support,
    outcome: Literal["as_written", "repaired", "quoted"],
    footnotes: Footnotes,
) -> Verified:
    citations = tuple(footnotes.cite(document, span) for document, span in dict.fromkeys(places))
    numbers = tuple(citation.number for citation in citations)
    return Verified(Statement(text=text, citations=numbers, support=support), citations, outcome)
