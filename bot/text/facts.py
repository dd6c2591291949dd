"""Facts: what in a statement can be true or false and is checked by words, before any model is asked."""

from __future__ import annotations

from collections.abc import Sequence

from bot.text.comparisons import missing_comparisons, missing_directions
from bot.text.dates import missing_dates
from bot.text.fact import Fact
from bot.text.names import missing_names
from bot.text.negation import missing_negations
from bot.text.numbers import missing_numbers
from bot.text.times import missing_times
from bot.text.word_order import misplaced

__all__ = ["Fact", "missing_facts"]


def missing_facts(statement: str, sources: Sequence[str], context: Sequence[str] = ()) -> list[Fact]:
    """Return the facts of a statement that its sources do not state, and those of theirs that it turns round.

    Args:
        statement: What is to be shown.
        sources: The cited sentences.
        context: Title, sentence before and question: may supply names only, never numbers, dates or negations.
    """
    found = [
        *missing_numbers(statement, sources),
        *missing_dates(statement, sources),
        *missing_times(statement, sources),
        *missing_names(statement, sources, context),
        *missing_negations(statement, sources),
        *missing_comparisons(statement, sources),
        *missing_directions(statement, sources),
    ]
    known = {fact.span for fact in found}
    found.extend(fact for fact in misplaced(statement, sources) if fact.span not in known)
    return sorted(found, key=lambda fact: fact.span)
