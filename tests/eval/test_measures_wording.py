"""How words are compared and counted, and where quotes are found."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.measures.answered import occurrences
from eval.measures.correctness import count_words, fold, shows, without_markers
from index.document import Span


@given(text=st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


def test_folding() -> None:
    assert fold(" ＨＫ＄１\u00a0Billion\n\tﬁxed  STRASSE straße ") == "hk$1 billion fixed strasse strasse"


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("HK$1 billion is reserved", "1 billion"),
        ("HK$1\nBILLION", "1 Billion"),
        ("HK$1bn", "1bn"),
        ("HK$1bn", "bn"),
        ("merging ASTRI", "merg"),
        ("in 2025-2026", "2025"),
        ("on 16/04/2025", "16/04"),
        ("41,000 books", "41,000"),
        ("It is 17.", "17"),
        ("1, 2 and 3", "1"),
        ("獲預留10億元撥款", "10億"),
        ("香港人工智能研究院", "人工智能"),
        ("在AI研究院", "ai"),
        ("서울은 크다", "서울"),
        ("two phases.", "phases."),
        ("HK$ 5", "HK$"),
    ],
)
def test_a_phrase_that_is_shown(text: str, phrase: str) -> None:
    assert shows(text, phrase)


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("HK$21 billion", "1 billion"),
        ("HK$1.1 billion", "1 billion"),
        ("HK$17.8", "17"),
        ("1,000", "1"),
        ("2025", "25"),
        ("a part of innovation", "art"),
        ("a part of innovation", "no"),
        ("naïve", "ive"),
        ("one billion", "1 billion"),
    ],
)
def test_a_phrase_that_is_not_shown(text: str, phrase: str) -> None:
    assert not shows(text, phrase)


@given(before=st.text(), phrase=st.text(min_size=1).filter(str.strip), after=st.text())
def test_a_phrase_between_spaces_is_always_shown(before: str, phrase: str, after: str) -> None:
    assert shows(f"{before} | {phrase} | {after}", phrase)


def test_markers_are_removed_with_the_space_before_them() -> None:
    assert without_markers("HK$1 billion [1] [12]. And [x] 3 [4]") == "HK$1 billion. And [x] 3"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 0),
        ("HK$1 billion – it's state-of-the-art.", 4),  # the dash alone is no word
        ("撥款10億元", 5),  # 撥 款 10 億 元
        ("香港，人工智能。", 6),  # punctuation is no word
        ("在AI研究院", 5),  # 在 AI 研 究 院
        ("すしを食べる", 6),
        ("서울은 크다", 2),
    ],
)
def test_words_are_counted(text: str, words: int) -> None:
    assert count_words(text) == words


def test_every_occurrence_is_found() -> None:
    assert occurrences("abab ab", "ab") == (Span(0, 2), Span(2, 4), Span(5, 7))
    assert occurrences("aaa", "aa") == (Span(0, 2), Span(1, 3))
    assert occurrences("a\n b and a b", " a  b ") == (Span(0, 4), Span(9, 12))
    assert occurrences("A b", "a b") == ()
    assert occurrences("text", " ") == ()


@given(text=st.text(alphabet="ab \n.(", max_size=30), start=st.integers(0, 29), length=st.integers(1, 8))
def test_what_stands_in_a_text_is_found_in_it(text: str, start: int, length: int) -> None:
    quote = text[start : start + length]
    folded = re.sub(r"\s+", " ", quote).strip()
    if not folded:
        return
    found = occurrences(text, quote)
    assert any(start <= span.start and span.end <= start + length for span in found)
    assert {" ".join(span.of(text).split()) for span in found} == {folded}
