"""Numbers, dates and times that changed places: between the same two words must stand the same one.

Shortened quotes: the words of the sources, in their order, with only harmless parts left out.

Leaving words out can make a sentence say something else ("Ann said that Ben left" holds the words of "Ann left"), so
only these may go: the beginning and the end of a sentence, what commas or brackets set off, "at the park" and its like,
adverbs, and "also". What softens or denies the rest ("may", "failed to", "former") may not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise

import regex

from bot.text.dates import missing_dates
from bot.text.fact import Fact, normalise, read_table
from bot.text.negation import negator_spans
from bot.text.numbers import missing_numbers
from bot.text.times import missing_times
from bot.text.tokens import Token, read_tokens
from index.document import Span
from index.text.words import content_words


def misplaced(statement: str, sources: Sequence[str]) -> list[Fact]:
    """Return the numbers, dates and times of the statement that stand where the sources have others."""
    stated: dict[tuple[str, str], list[str]] = defaultdict(list)
    for source in sources:
        for slot, token in _slots(source):
            stated[slot].append(token.span.of(source))
    found = []
    for slot, token in _slots(statement):
        written = token.span.of(statement)
        if slot in stated and all(_differs(written, other) for other in stated[slot]):
            found.append(Fact("date" if token.key.startswith("@") else "number", written.strip(), token.span))
    return found


def _slots(text: str) -> Iterator[tuple[tuple[str, str], Token]]:
    """Yield each number, date and time with the words on either side, where these say something."""
    for (before, token), (_, after) in pairwise(pairwise(read_tokens(text))):
        if token.key[0] in "#@" and (before.is_content or after.is_content):
            yield (before.key, after.key), token


def _differs(written: str, other: str) -> bool:
    return bool(missing_numbers(written, [other]) or missing_dates(written, [other]) or missing_times(written, [other]))


_GUARD = regex.compile("|".join(read_table("guards")["opening"]), regex.IGNORECASE)
_CLOSING_GUARD = regex.compile("|".join(read_table("guards")["closing"]), regex.IGNORECASE)
_BREAK = regex.compile(r"[,;:()\[\]，、；：（）—–]|\s-\s")
_SENTENCE_END = regex.compile(r"[.!?。！？](?=[\s”\"」』’)）]|$)|\n|[。！？；]")
_OTHER_CLAUSE = regex.compile(r"[;；]|, (?:and|but|while)\b")
_PHRASE = 2  # words with content after a preposition
_PREPOSITIONS = frozenset("at in on of by for with from to within near during under".split())
_LINKS = frozenset("also already furthermore however therefore moreover thus then too still now both very".split())


class _Source:
    """The cited sentences in a row, read once."""

    def __init__(self, sources: Sequence[str]) -> None:
        self.text = normalise("\n".join(sources))
        self.tokens = read_tokens(self.text, tuple(negator_spans(self.text)))
        self.guards = [Span(*match.span()) for match in _GUARD.finditer(self.text)]
        self.ends = [match.start() for match in _SENTENCE_END.finditer(self.text)]

    def gap(self, left: int, right: int) -> Span:
        """Return the characters between two tokens."""
        start = self.tokens[left].span.end
        return Span(start, max(start, self.tokens[right].span.start))  # the two years of "2025-2026" share a place

    def ends_between(self, gap: Span) -> bool:
        """Return whether a sentence ends in a gap."""
        return any(gap.start <= end < gap.end for end in self.ends)

    def is_guarded(self, gap: Span) -> bool:
        """Return whether a gap holds a word that must not fall away."""
        return any(gap.contains(guard) for guard in self.guards)

    def may_fall(self, left: int, right: int) -> bool:
        """Return whether the tokens between two of one sentence may be left out."""
        between = self.tokens[left + 1 : right]
        if not between:
            return True
        gap = self.gap(left, right)
        if self.is_guarded(gap):
            return False
        opened = self.text[gap.start : between[0].span.start]
        closed = self.text[between[-1].span.end : gap.end]
        if _BREAK.search(opened) and _BREAK.search(closed):
            return True
        heavy = [one for one in between if one.key not in _LINKS]
        if len(heavy) > 1 and heavy[0].key in _PREPOSITIONS:
            if any(one.key.startswith(("#", "@")) for one in heavy):
                return False
            return len(heavy) <= 1 + _PHRASE and all(one.is_content and not one.is_ideograph for one in heavy[1:])
        return all(one.span.of(self.text).endswith("ly") and not one.is_fixed for one in heavy)

    def may_open(self, place: int) -> bool:
        """Return whether a quote may start here, what stands before it in the sentence left out."""
        start = max((end + 1 for end in self.ends if end < self.tokens[place].span.start), default=0)
        left_out = Span(start, self.tokens[place].span.start)
        if not left_out.of(self.text).strip(" \"'“”「『(（」』)）\n"):
            return True
        if self.is_guarded(left_out):
            return False
        # Ideographs have no spaces: a start inside a clause may be inside a word.
        return not self.tokens[place].is_ideograph or bool(_BREAK.search(self.text[left_out.start : left_out.end][-1:]))


def is_shortened_quote(statement: str, sources: Sequence[str]) -> bool:
    """Return whether the statement is what the sources say, word for word and in order, only shorter.

    Numbers, dates and times count as equal in every spelling; articles and negators are left to `missing_facts`.
    """
    plain = normalise(statement)
    asked = read_tokens(plain, tuple(negator_spans(plain)))
    if not asked or not sources:
        return False
    source = _Source(sources)
    ends = [match.start() for match in _SENTENCE_END.finditer(plain)]
    reached = [
        place for place, token in enumerate(source.tokens) if token.key == asked[0].key and source.may_open(place)
    ]
    for before, token in pairwise(asked):
        is_new_sentence = any(before.span.end <= end < token.span.start for end in ends)
        candidates = [place for place, one in enumerate(source.tokens) if one.key == token.key]
        reached = [
            place
            for place in candidates
            if any(left < place and _follows(source, left, place, is_new=is_new_sentence) for left in reached)
        ]
        if not reached:
            return False
    return any(_may_close(source, place) for place in reached)


def _follows(source: _Source, left: int, right: int, *, is_new: bool) -> bool:
    if source.ends_between(source.gap(left, right)):
        return is_new and source.may_open(right)
    return not (is_new and right - left > 1) and source.may_fall(left, right)


def _may_close(source: _Source, place: int) -> bool:
    """Return whether a quote may end here: a condition or an exception that follows must not fall away."""
    start = source.tokens[place].span.end
    end = min((end for end in source.ends if end >= start), default=len(source.text))
    other_clause = _OTHER_CLAUSE.search(source.text, start, end)
    left_out = Span(start, other_clause.start() if other_clause else end)
    if _CLOSING_GUARD.search(source.text, left_out.start, left_out.end):
        return False
    if source.tokens[place].is_ideograph and left_out.of(source.text).strip("\"'”」』）"):
        return bool(_BREAK.match(source.text, start))
    return True


def new_words(statement: str, sources: Sequence[str], context: Sequence[str] = ()) -> list[str]:
    """Return the content words of the statement, as written, that stand in no source and not in the context.

    Ideographs count in pairs of neighbours: single ones stand almost anywhere.
    """
    known = {key for text in (*sources, *context) for key, _ in _content(text)}
    known |= {word.key for text in (*sources, *context) for word in content_words(text)}
    fresh = [span.of(statement) for key, span in _content(statement) if key not in known]
    return list(dict.fromkeys(fresh))


def _content(text: str) -> Iterator[tuple[str, Span]]:
    tokens = read_tokens(text)
    for token in tokens:
        if token.is_content and not token.is_ideograph:
            yield token.key, token.span
    for one, other in pairwise(tokens):
        if one.is_ideograph and other.is_ideograph and one.span.end == other.span.start:
            yield one.key + other.key, Span(one.span.start, other.span.end)
