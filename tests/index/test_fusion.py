"""Fusion by hand: what each ranking counts, and phrases."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.document import Chunk, Span
from index.embedding.sentence_transformer import SentenceTransformerEmbedder
from index.search.fusion import Fusion, fuse
from index.search.keywords import KeywordIndex, build_keyword_index


def test_fusion_by_hand() -> None:
    fused = fuse({"a": 0.8, "b": 0.5, "c": -0.2}, {"b": 4.0, "c": 2.0}, 0.6)
    assert fused == pytest.approx({"a": 0.6 * 0.8, "b": 0.6 * 0.5 + 0.4, "c": 0.4 * 0.5})


def test_without_a_word_of_the_question_the_cosine_decides() -> None:
    assert fuse({"a": 0.8, "b": 0.5}, {}, 0.6) == pytest.approx({"a": 0.48, "b": 0.3})


@given(
    st.dictionaries(st.sampled_from("abcdef"), st.floats(-1, 1)),
    st.dictionaries(st.sampled_from("abcdef"), st.floats(-5, 60)),
    st.floats(0, 1),
)
def test_every_candidate_gets_a_share_of_one(
    similarities: dict[str, float], keyword_scores: dict[str, float], weight: float
) -> None:
    fused = fuse(similarities, keyword_scores, weight)
    assert fused.keys() == similarities.keys()
    assert all(0 <= score <= 1 for score in fused.values())


def test_words_count_more_in_a_script_that_the_model_spells_out(embedder: SentenceTransformerEmbedder) -> None:
    def weight(question: str) -> float:
        return Fusion().weight_for(question, embedder.tokenize(question))

    english, chinese = weight("When does the first ferry leave?"), weight("政府預留多少撥款？")
    assert english == pytest.approx(0.67)
    assert chinese == pytest.approx(0.35)
    assert chinese < weight("何時 does the first ferry leave 中環?") <= english
    assert Fusion().weight_for("", ()) == pytest.approx(0.35)


@pytest.fixture
def keywords(tmp_path: Path) -> KeywordIndex:
    texts = [
        "The first ferry leaves early. A pier is open.",
        "The ferry that leaves first is early, and the pier is open.",
        "Nothing about boats is said here.",
    ]
    chunks = [Chunk(f"c{number}", "d", number, Span(0, len(text)), text, "") for number, text in enumerate(texts)]
    build_keyword_index(tmp_path / "k.db", [chunks])
    return KeywordIndex(tmp_path / "k.db")


def test_words_that_stand_side_by_side_as_in_the_question_score_again(keywords: KeywordIndex) -> None:
    together, apart = keywords.search("first ferry", 3, phrase_weight=0.3)
    alone = dict(keywords.search("first", 3))
    assert together[0] == "c0"
    assert together[1] > apart[1] > alone["c1"]
    assert dict(keywords.search("first ferry", 3))["c1"] == apart[1]


def test_the_score_of_a_chunk_found_elsewhere_is_the_same(keywords: KeywordIndex) -> None:
    everything = dict(keywords.search("first ferry", 3))
    assert dict(keywords.search("first ferry", 1, also=["c1", "c2"])) == everything
    assert "c2" not in everything
