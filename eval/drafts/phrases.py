"""The phrases that an answer may use for what a sentence says: the ways to write a number, a date, a name."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

import regex

from bot.stages.question.clean import to_script
from bot.text.dates import DateRead, Day
from bot.text.fact import is_ideographic
from bot.text.facts import missing_facts
from bot.text.numerals import ENGLISH
from bot.text.quantity import Quantity
from eval.drafts.draft import Groups
from eval.measures.correctness import shows
from index.text.words import content_words

_WORDS = {value: word for word, value in ENGLISH.items() if value <= 20}
_SCALES = ((10**12, "trillion", "tn"), (10**9, "billion", "bn"), (10**6, "million", "m"))
_HAN_SCALES = ((10**8, "億"), (10**4, "萬"))
_TITLE = regex.compile(r"^(?:Professor|Prof\.?|Doctor|Dr\.?|Mr\.?|Mrs\.?|Ms\.?|Sir|Dame|the|The) ")
_MOST_WORDS = 2
_LONG_NUMBER = 10**7  # nobody writes "1000000000" for a billion


def number_phrases(one: Quantity, sentence: str) -> tuple[str, ...]:
    """Return how the number may be written, without its unit, first as it stands in the sentence."""
    written = one.span.of(sentence).strip()
    bare = regex.search(r"[\p{N}〇零一二三四五六七八九十廿百千萬万億亿兩两].*", written)
    found = [bare.group() if bare else written]
    value = next(iter(one.values))
    is_han = is_ideographic(sentence)
    if value.denominator == 1 and abs(value) < _LONG_NUMBER:
        whole = int(value)
        found += [str(whole), f"{whole:,}", *([_WORDS[whole]] if whole in _WORDS and not is_han else [])]
    scales = _HAN_SCALES if is_han else ()
    found += [f"{float(value / scale):g}{sign}" for scale, sign in scales if value >= scale]
    for scale, word, short in _SCALES if not is_han else ():
        if value >= scale:
            amount = f"{float(value / scale):g}"
            found += [f"{amount} {word}", f"{amount}{short}", f"{amount} {short}"]
            break
    return _stated(found, sentence)


def date_phrases(one: DateRead, sentence: str) -> tuple[str, ...]:
    """Return how the date may be written, first as it stands in the sentence."""
    found = [one.span.of(sentence)]
    for day in one.options if len(one.options) == 1 else ():
        found += _written_dates(day, ideographic=is_ideographic(sentence))
    return _stated(found, sentence)


def name_phrases(name: str) -> tuple[str, ...]:
    """Return a name without a title or an article before it."""
    bare = name
    while _TITLE.search(bare):
        bare = _TITLE.sub("", bare)
    return (bare.strip(),) if bare.strip() else (name,)


def word_groups(text: str, question: str) -> Groups:
    """Return the first words of content that an answer which says this must show, those of the question left out."""
    if is_ideographic(text):
        pieces = [piece for piece in regex.split(r"[的之]|[^\p{Han}]+", text) if 2 <= len(piece) <= 10]
        pieces = [piece for piece in pieces if not shows(question, piece)]
        return tuple(tuple(dict.fromkeys((piece, *_scripts(piece)))) for piece in pieces[:_MOST_WORDS])
    words = [word.span.of(text) for word in content_words(text)]
    new = [word for word in dict.fromkeys(words) if len(word) > 2 and not shows(question, word)]
    return tuple((word,) for word in new[:_MOST_WORDS])


def item_groups(items: list[str]) -> Groups:
    """Return one group for each item of a list."""
    return tuple(tuple(dict.fromkeys((item, *_scripts(item)))) for item in items)


def _scripts(text: str) -> list[str]:
    return [to_script(text, "zh_hant"), to_script(text, "zh_hans")] if is_ideographic(text) else []


def _written_dates(day: Day, *, ideographic: bool) -> Iterator[str]:
    if day.year is None or (day.month is None and day.day is not None):
        return
    if day.month is None:
        yield str(day.year)
        return
    month = datetime.date(2000, day.month, 1).strftime("%B")
    if ideographic:
        yield f"{day.year}年{day.month}月" + (f"{day.day}日" if day.day else "")
    if day.day is None:
        yield f"{month} {day.year}"
    else:
        yield f"{day.day} {month} {day.year}"
        yield f"{month} {day.day}, {day.year}"
        yield f"{day.year}-{day.month:02d}-{day.day:02d}"
        yield f"{day.day:02d}/{day.month:02d}/{day.year}"


def _stated(phrases: list[str], sentence: str) -> tuple[str, ...]:
    """Return the phrases without repetitions, those left out that would say something else than the sentence."""
    kept = [phrase for phrase in phrases if phrase in sentence or not missing_facts(phrase, [sentence])]
    return tuple(dict.fromkeys(" ".join(phrase.split()) for phrase in kept))
