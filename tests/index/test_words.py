from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.text.words import content_words, iterate_words, search_keys


@given(text=st.text(max_size=200))
def test_every_word_stands_where_it_says(text: str) -> None:
    for word in iterate_words(text):
        assert word.span.of(text).strip()
        assert word.key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("institutes", "institute"),
        ("Café", "cafe"),
        ("香港人工智能研究院", "香港人工智能研究院"),
        ("預留撥款", "预留拨款"),  # the two scripts meet
        ("41,000", "41000"),
        ("ＨＫ", "hk"),
        ("bureau’s", "bureau"),
    ],
)
def test_spellings_that_mean_the_same_have_the_same_keys(one: str, other: str) -> None:
    assert search_keys(one) == search_keys(other)


def test_content_words_leave_the_small_words_out() -> None:
    keys = [word.key for word in content_words("How much is reserved for the AI institute in 2025?")]
    assert keys == ["reserv", "ai", "institut", "2025"]


def test_names_numbers_and_abbreviations_are_told_apart() -> None:
    words = {word.key: word for word in content_words("In April, Sun Dong said the AI park has 8 buildings")}
    assert words["dong"].is_name
    assert not words["park"].is_name
    assert words["ai"].is_capitals
    assert words["8"].is_number


def test_ideographs_come_in_pairs_so_that_parts_of_a_run_are_found() -> None:
    assert set(search_keys("人工智能")) <= set(search_keys("香港人工智能研究院"))
