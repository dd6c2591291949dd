"""Negation: what a statement denies its sources must deny, and what they deny it must not affirm.

A negator is taken to bear on the next words with content in its clause, the first of them most. Which word of the
statement is which of the sources is found by aligning the two, so a "not" moved from one half of a sentence to the
other is seen.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import regex

from bot.text.fact import Fact, is_ideographic, mask, normalise, read_table
from bot.text.tokens import Token, align, read_tokens
from index.document import Span

_SCOPE = 3  # words with content
_CLAUSE_END = regex.compile(r"[.;:!?,。；：！？，、\n]|\b(?:but|yet|while|whereas)\b|但|而")
_TABLE = read_table("negation")
_NEGATOR = regex.compile("|".join(_TABLE["negators"]["patterns"]), regex.IGNORECASE)
_NO_NEGATOR = regex.compile("|".join(_TABLE["negators"]["not_negators"]), regex.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Polarity:
    """The content tokens of a text, and what bears on them.

    Attributes:
        tokens: Words with content, negators left out.
        scopes: For each negator its place and the tokens (by index) it bears on, nearest first.
    """

    tokens: tuple[Token, ...]
    scopes: tuple[tuple[Span, tuple[int, ...]], ...]

    def strength(self) -> Counter[int]:
        """Return how many negators bear first of all on each token."""
        return Counter(scope[0] for _, scope in self.scopes if scope)

    def reach(self) -> set[int]:
        """Return the tokens that any negator bears on."""
        return {index for _, scope in self.scopes for index in scope}


def negator_spans(text: str) -> list[Span]:
    """Return the places of the negators of a text."""
    plain = normalise(text)
    plain = mask(plain, [Span(*match.span()) for match in _NO_NEGATOR.finditer(plain)])
    return [Span(*match.span()) for match in _NEGATOR.finditer(plain)]


@functools.lru_cache(maxsize=4096)
def read_polarity(text: str) -> Polarity:
    """Return the content tokens of a text with its negators."""
    negators = negator_spans(text)
    tokens = tuple(token for token in read_tokens(text, tuple(negators)) if token.is_content)
    plain = normalise(text)
    scopes = []
    for negator in negators:
        stop = _CLAUSE_END.search(plain, negator.end)
        end = stop.start() if stop else len(plain)
        scope = [index for index, token in enumerate(tokens) if negator.end <= token.span.start < end]
        if not scope:  # "as this one does not": what was said before is meant
            scope = [index for index, token in enumerate(tokens) if token.span.end <= negator.start][-1:]
        scopes.append((negator, tuple(scope[:_SCOPE])))
    return Polarity(tokens, tuple(scopes))


def missing_negations(statement: str, sources: Sequence[str]) -> list[Fact]:
    """Return the negations that the statement adds to its sources ("negation") or takes from them ("lost negation")."""
    joined = "\n".join(sources)
    said, stated = read_polarity(statement), read_polarity(joined)
    if is_ideographic(statement) != is_ideographic(joined):
        return _compare_languages(statement, said, stated)
    pairs = align(said.tokens, stated.tokens)
    return _added(statement, said, stated, pairs) + _lost(joined, said, stated, pairs)


def _added(statement: str, said: Polarity, stated: Polarity, pairs: dict[int, int]) -> list[Fact]:
    reach = stated.reach()
    denied = {stated.tokens[index].key for index in reach}
    strength, source_strength = said.strength(), stated.strength()
    found = []
    for negator, scope in said.scopes:
        known = [index for index in scope if index in pairs]
        if known:
            place = pairs[known[0]]
            doubled = known[0] == scope[0] and strength[scope[0]] > max(1, source_strength[place])
            is_stated = place in reach and not doubled
        else:
            is_stated = any(said.tokens[index].key in denied for index in scope[:1]) or (
                not scope and bool(stated.scopes)
            )
        if not is_stated:
            found.append(Fact("negation", _phrase(statement, negator, said, scope), negator))
    return found


def _lost(joined: str, said: Polarity, stated: Polarity, pairs: dict[int, int]) -> list[Fact]:
    places = {place: index for index, place in pairs.items()}
    reach, strength, source_strength = said.reach(), said.strength(), stated.strength()
    found = []
    for negator, scope in stated.scopes:
        known = [place for place in scope if place in places]
        if not known:
            continue
        index = places[known[0]]
        halved = known[0] == scope[0] and source_strength[scope[0]] > 1 and strength[index] < source_strength[scope[0]]
        if index not in reach or halved:
            found.append(Fact("lost negation", _phrase(joined, negator, stated, scope), said.tokens[index].span))
    return found


def _compare_languages(statement: str, said: Polarity, stated: Polarity) -> list[Fact]:
    """Between two languages no word can be aligned: only whether anything is denied is compared."""
    if said.scopes and not stated.scopes:
        negator, scope = said.scopes[0]
        return [Fact("negation", _phrase(statement, negator, said, scope), negator)]
    if stated.scopes and not said.scopes:
        return [Fact("lost negation", "not", Span(0, len(statement)))]
    return []


def _phrase(text: str, negator: Span, polarity: Polarity, scope: tuple[int, ...]) -> str:
    first = polarity.tokens[scope[0]].span if scope else negator
    return " ".join(Span(min(first.start, negator.start), max(first.end, negator.end)).of(text).split())
