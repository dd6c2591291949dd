"""Numbers: each one of a statement must stand in its sources, with its unit and for the same thing."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from bot.text.dates import years_of
from bot.text.fact import Fact
from bot.text.quantity import Quantity, is_currency, mentions_unit, read_quantities, units_agree


def missing_numbers(statement: str, sources: Sequence[str]) -> list[Fact]:
    """Return the numbers of the statement that no source states."""
    stated = [(one, source) for source in sources for one in read_quantities(source)]
    return [
        Fact("number", one.span.of(statement).strip(), one.span)
        for one in read_quantities(statement)
        if (not one.is_article and not _is_stated(one, stated, sources))
        or (one.is_article and _contradicted(one, stated))
    ]


def counts_the_same(one: Quantity, other: Quantity) -> bool:
    """Return whether two numbers are of one unit or of the same things, or both are years."""
    if one.unit or other.unit:
        return bool(one.unit) and (one.unit == other.unit or units_agree(one.unit, other.unit))
    if one.noun or other.noun:
        return bool(one.noun) and one.noun == other.noun
    return _is_year(one) and _is_year(other)


def _is_year(one: Quantity) -> bool:
    return all(value.denominator == 1 and 1000 <= value <= 2100 for value in one.values)


def _is_stated(one: Quantity, stated: Sequence[tuple[Quantity, str]], sources: Sequence[str]) -> bool:
    if one.code:
        return any(one.code == other.code for other, _ in stated)
    if _contradicted(one, stated):
        return False
    if any(_same(one, other) and _unit_stands(one, other, source) for other, source in stated):
        return True
    # "COVID 19" where the source has "COVID-19"; "2025" where it has a whole date.
    year = next(iter(one.values))
    is_year = not one.unit and year.denominator == 1 and 1000 <= year <= 2100
    return is_year and any(year == Fraction(other) for source in sources for other in years_of(source))


def _same(one: Quantity, other: Quantity) -> bool:
    return (
        bool(one.values & other.values)
        and one.is_ordinal == other.is_ordinal
        and (not other.is_article or one.noun == other.noun or (units_agree(one.unit, other.unit) and bool(one.unit)))
    )


def _unit_stands(one: Quantity, other: Quantity, source: str) -> bool:
    if not one.unit:
        # "8 hours" does not state "8 guests"; it does state "8".
        counts_same = not one.noun or one.noun == other.noun or not other.unit or is_currency(other.unit)
        return other.unit != "percent" and counts_same
    if not other.unit:
        return mentions_unit(source, one.unit)
    return units_agree(one.unit, other.unit)


def _contradicted(one: Quantity, stated: Sequence[tuple[Quantity, str]]) -> bool:
    """Return whether the sources count the very thing that the statement counts, and always otherwise."""
    if not one.noun or one.code or one.is_ordinal:
        return False
    counted = [other for other, _ in stated if other.noun == one.noun and not other.is_ordinal and not other.code]
    return bool(counted) and not any(one.values & other.values for other in counted)
