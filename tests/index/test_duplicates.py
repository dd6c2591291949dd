from __future__ import annotations

import random

import numpy as np

from index.relations.duplicates import folded_words, group_duplicates, resemblance, sign

WORDS = [f"word{number}" for number in range(2_000)]


def _text(seed: int, length: int = 300) -> list[str]:
    return random.Random(seed).choices(WORDS, k=length)


def _shingles(words: list[str]) -> set[tuple[str, ...]]:
    return set(zip(words, words[1:], words[2:], strict=False))


def test_the_signature_estimates_the_share_of_common_shingles() -> None:
    whole = _text(1, 600)
    for kept in (600, 500, 300, 0):
        other = [*whole[:kept], *_text(2, 600 - kept)]
        one, two = _shingles(whole), _shingles(other)
        exact = len(one & two) / len(one | two)
        assert abs(resemblance(sign(" ".join(whole)), sign(" ".join(other))) - exact) < 0.15


def test_case_width_punctuation_and_script_make_no_difference() -> None:
    assert folded_words("The ＦＥＲＲＹ, at 5:55!") == ["the", "ferry", "at", "5", "55"]
    assert resemblance(sign("人工智能研究院獲預留十億元。"), sign("人工智能研究院获预留十亿元")) == 1


def test_copies_are_grouped_and_nothing_else_among_many() -> None:
    texts = [_text(seed) for seed in range(300)]
    edited = list(texts[7])
    edited[150] = "changed"
    half = [*texts[9][:150], *_text(1_000, 150)]
    signatures = np.array([sign(" ".join(words)) for words in (*texts, texts[3], edited, half, [], [])])
    groups = group_duplicates(signatures)
    assert groups[:300] == list(range(300))
    assert groups[300:303] == [3, 7, 302]
    assert groups[303:] == [303, 304]  # texts without words are not copies of each other
