"""Units and currencies: one name for every spelling."""

from __future__ import annotations

import functools

import regex

from bot.facts.normal_form import normalise, read_table


def any_of(spellings: list[str]) -> str:
    """Return a pattern of these spellings, longer ones first."""
    # The patterns are written over several lines, where a plain space would count for nothing.
    return "|".join(sorted(spellings, key=len, reverse=True)).replace(" ", r"\s")


_UNITS = read_table("units")
_SPELLINGS = {name: spelling for group in ("currencies", "measures") for name, spelling in _UNITS[group].items()}
CURRENCY = any_of([one for spellings in _UNITS["currencies"].values() for one in spellings])
UNIT = any_of([one for spellings in _SPELLINGS.values() for one in spellings])
_NAMED_UNITS = [(name, regex.compile(any_of(spellings), regex.IGNORECASE)) for name, spellings in _SPELLINGS.items()]


@functools.lru_cache(maxsize=1024)
def canonical_unit(written: str) -> str:
    """Return the name of a currency or measure as our table has it, or "" for none."""
    stripped = written.strip()
    exact = (name for name, pattern in _NAMED_UNITS if stripped and pattern.fullmatch(stripped))
    return next(exact, "")


def is_currency(unit: str) -> bool:
    """Return whether a canonical unit is money."""
    return unit in _UNITS["currencies"]


def units_agree(one: str, other: str) -> bool:
    """Return whether two units may be the same: "$" is any dollar, 元 any that is called so in Chinese."""
    generic: dict[str, list[str]] = _UNITS["generic"]
    return one == other or one in generic.get(other, ()) or other in generic.get(one, ())


def mentions_unit(text: str, unit: str) -> bool:
    """Return whether a unit stands anywhere in a text, as in the heading of a table."""
    return bool(
        regex.search(rf"(?<!\p{{Latin}})(?:{any_of(_SPELLINGS[unit])})(?!\p{{Latin}})", normalise(text), regex.I)
    )
