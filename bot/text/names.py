"""Names: capitalised words, abbreviations, and in Chinese what quotation marks, titles and middle dots set apart.

Chinese names in running text cannot be told from other words by words alone. They are compared as new words, which
only a language model can pass.
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import pairwise

import regex

from bot.text.dates import date_spans
from bot.text.fact import Fact, is_ideographic, mask, normalise, read_table
from bot.text.quantity import read_quantities
from bot.text.times import time_spans
from index.document import Span
from index.text.words import Word, fold_word, is_function_word

_TABLE = read_table("names")
_SAME = {word: frozenset(group) for group in _TABLE["same"]["groups"] for word in group}
_ABBREVIATIONS: dict[str, list[str]] = _TABLE["abbreviations"]
_ORDINARY = frozenset(fold_word(word) for word in _TABLE["ordinary"]["words"].split())
# Endings that no name has, or hardly any.
_ORDINARY_ENDING = regex.compile(r"(?:tions?|ments?|ness|ically|ities|ably|ships?|ology)$")
_DEMONYM_ENDINGS = ("n", "an", "ese", "y", "i")

_WORD = regex.compile(r"[\p{Latin}\p{Cyrillic}\p{Greek}\p{M}]+(?:'[\p{Latin}\p{M}]+)*")
_SENTENCE_START = regex.compile(r"(?:^|[.!?:;\n\"“”•。！？：；「『])[\s\"“‘'(「『]*$")
_ABBREVIATED = regex.compile(r"\b(?:Mr|Mrs|Ms|Dr|Prof|St|Sr|Jr|No|vs|Gen|Gov|Sen|\p{Lu})\.\s*$")
_HAN_QUOTED = regex.compile(r"[「『《〈“](?P<name>[^「」『』《》〈〉“”]{1,30})[」』》〉”]")
_HAN_DOTTED = regex.compile(r"(?P<name>\p{Han}{1,2}[·•‧・]\p{Han}{1,2})")
_HAN_TITLED = regex.compile(
    r"(?P<name>(?![这那该每某一两各多名位任的副])\p{Han}{2})(?=教授|先生|女士|小姐|太太|局长|部长|主席|总统|博士|医生|经理|校长|议员|总理|首相|国王|皇帝)"
)
_NOT_WORD = regex.compile(r"[^\p{L}\p{N}]")


def missing_names(statement: str, sources: Sequence[str], context: Sequence[str] = ()) -> list[Fact]:
    """Return the names of the statement that stand neither in the sources nor in the context."""
    texts = (*sources, *context)
    known = _known(tuple(texts))
    is_other_language = is_ideographic(statement) != is_ideographic("\n".join(sources))
    if is_other_language and not any(_WORD.search(source) for source in sources):
        return []
    found = [
        Fact("name", span.of(statement), span)
        for span, run, is_opening in read_names(statement)
        if not _is_known(run, known) and not (is_opening and _is_ordinary(run, statement, span))
    ]
    if not is_other_language:
        found.extend(_missing_ideographic(statement, texts))
    return found


def read_names(text: str) -> Iterator[tuple[Span, tuple[str, str, str], bool]]:
    """Yield the capitalised words of a text: place, (word before, word, word after), whether it opens a sentence.

    The neighbours are capitalised words of the same run, or "".
    """
    spans = [*date_spans(text), *time_spans(text)]
    spans.extend(one.span for one in read_quantities(text) if not one.is_article and not one.code)
    plain = mask(normalise(text), spans)
    words = list(_WORD.finditer(plain))
    capitals = [match.group()[0].isupper() for match in words]
    for place, match in enumerate(words):
        span = Span(*match.span())
        written = match.group()
        if not capitals[place] or (
            is_function_word(Word(span, ""), plain) and not (len(written) > 1 and written.isupper())
        ):
            continue
        start = plain[: span.start]
        opens = bool(_SENTENCE_START.search(start)) and not _ABBREVIATED.search(start)
        before = place > 0 and capitals[place - 1] and _touch(words[place - 1], match, plain)
        after = place + 1 < len(words) and capitals[place + 1] and _touch(match, words[place + 1], plain)
        run = (words[place - 1].group() if before else "", written, words[place + 1].group() if after else "")
        yield span, run, opens and not (len(written) > 1 and written.isupper())


def _touch(one: regex.Match[str], other: regex.Match[str], text: str) -> bool:
    return not text[one.end() : other.start()].strip(" .-&")


def plain_word(word: str) -> str:
    """Return a word as names are compared: case, marks and possessive gone, ending kept."""
    folded = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", word).casefold())
    return "".join(c for c in folded if not unicodedata.combining(c)).removesuffix("'s").removesuffix("'")


@functools.lru_cache(maxsize=512)
def _known(texts: tuple[str, ...]) -> frozenset[str]:
    """Return every form in which the words of these texts may be named."""
    known: set[str] = set()
    for text in texts:
        matches = list(_WORD.finditer(normalise(text)))
        words = [plain_word(match.group()) for match in matches]
        known.update(words)
        known.update(fold_word(word) for word in words)
        known.update(one + other for one, other in pairwise(words))
        known.update(a + b + c for (a, b), (_, c) in pairwise(pairwise(words)))
        known.update(other for word in words for other in _SAME.get(word, ()))
        for word in words:
            known.update(_ABBREVIATIONS.get(word, ()))
        for short, full in _ABBREVIATIONS.items():
            if any(words[start : start + len(full)] == full for start in range(len(words))):
                known.add(short)
        known.update(_initials([match.group() for match in matches]))
    return frozenset(known)


def _initials(words: Sequence[str]) -> Iterator[str]:
    """Yield the abbreviations of runs of two to six capitalised words, small words between them passed over."""
    letters: list[str] = []
    for word in (*words, "."):
        if word[0].isupper():
            letters.append(word[0].casefold())
        elif word.casefold() not in {"of", "and", "the", "for", "de"}:
            for start in range(len(letters)):
                for end in range(start + 2, min(start + 6, len(letters)) + 1):
                    yield "".join(letters[start:end])
            letters = []


def _is_known(run: tuple[str, str, str], known: frozenset[str]) -> bool:
    before, word, after = (plain_word(one) if one else "" for one in run)
    forms = {word, fold_word(word), before + word if before else word, word + after if after else word}
    if forms & known:
        return True
    if run[1].isupper() and len(word) > 1:  # the full form stands there in capitals: `_initials` has it
        return False
    return any(
        len(shorter) >= 5 and longer == shorter + ending
        for ending in _DEMONYM_ENDINGS
        for shorter, longer in ((word, word + ending), (word.removesuffix(ending), word))
        if (longer if shorter == word else shorter) in known
    )


def _is_ordinary(run: tuple[str, str, str], statement: str, span: Span) -> bool:
    """Return whether a word that opens a sentence need not be a name."""
    word = plain_word(run[1])
    if run[2] and word not in _ORDINARY and fold_word(word) not in _ORDINARY:
        return False  # "Jennifer Moore said"
    rest = mask(statement, [span])
    stands_small = regex.search(rf"\b{regex.escape(word)}\b", rest) is not None
    return fold_word(word) in _ORDINARY or stands_small or _ORDINARY_ENDING.search(word) is not None


def _missing_ideographic(statement: str, texts: Sequence[str]) -> list[Fact]:
    plain = normalise(statement)
    letters = _NOT_WORD.sub("", "\n".join(normalise(text) for text in texts)).casefold()
    found = []
    for pattern in (_HAN_QUOTED, _HAN_DOTTED, _HAN_TITLED):
        for match in pattern.finditer(plain):
            span = Span(*match.span("name"))
            name = _NOT_WORD.sub("", match["name"]).casefold()
            if regex.search(r"\p{Han}", name) and name not in letters:
                found.append(Fact("name", span.of(statement), span))
    return found
