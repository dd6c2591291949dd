from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from bot.settings import Settings
from index.document import Chunk, Span
from index.embedding.sentence_transformer import SentenceTransformerEmbedder
from index.errors import EmptyIndexError
from index.search.keywords import KeywordIndex, build_keyword_index
from index.search.retriever import Retriever
from index.store.catalogue import Catalogue


def chunk(number: int, text: str, title: str = "") -> Chunk:
    return Chunk(f"c{number}", "d", number, Span(0, len(text)), text, title)


@pytest.fixture
def keywords(tmp_path: Path) -> KeywordIndex:
    texts = [
        "The ferry to Mui Wo costs HK$17.8 on weekdays.",
        "The library lends forty-one thousand books.",
        "香港人工智能研究院獲預留十億元撥款。",
        "Ferries and ferries again: version 3.5 of the plan.",
    ]
    chunks = [chunk(number, text, "Don't panic") for number, text in enumerate(texts)]
    assert build_keyword_index(tmp_path / "k.db", [chunks[:2], chunks[2:]]) == 4
    return KeywordIndex(tmp_path / "k.db")


@pytest.mark.parametrize(
    ("question", "best"),
    [
        ("What does the ferry to Mui Wo cost?", "c0"),
        ("books in libraries", "c1"),
        ("人工智能研究院預留多少撥款？", "c2"),
        ("人工智能研究院预留多少拨款？", "c2"),  # the other script
        ("version 3.5", "c3"),
        ('"; DROP TABLE word; -- ferry AND NOT "(mui', "c0"),
    ],
)
def test_keywords_find_the_chunk(keywords: KeywordIndex, question: str, best: str) -> None:
    assert keywords.search(question, 3)[0][0] == best


@pytest.mark.parametrize("question", ["", "?!", "the of and", "unheardofword", "*", '"', "NEAR(", "\u202e"])
def test_keywords_survive_questions_that_match_nothing(keywords: KeywordIndex, question: str) -> None:
    assert isinstance(keywords.search(question, 3), list)


def test_statistics_count_chunks(keywords: KeywordIndex) -> None:
    statistics = keywords.statistics("Ferries, books, version 3.5, nowhere")
    assert statistics.frequencies == {"ferri": 2, "book": 1, "version": 1, "3.5": 1}
    assert statistics.chunks == 4


@pytest.mark.parametrize(
    ("written", "meant"),
    [("libary", "librari"), ("thosand", "thousand"), ("cost", None), ("elephant", None), ("12345678", None)],
)
def test_a_misspelt_word_is_read_as_the_nearest_indexed_one(
    keywords: KeywordIndex, written: str, meant: str | None
) -> None:
    assert list(keywords.statistics(written).corrections.values()) == ([meant] if meant else [])


def test_an_empty_index_says_what_to_do(tmp_path: Path, embedder: SentenceTransformerEmbedder) -> None:
    retriever = Retriever(Catalogue(Settings(data_dir=tmp_path).catalogue_url()), embedder, tmp_path)
    with pytest.raises(EmptyIndexError, match="footnote index FOLDER"):
        retriever.retrieve(["anything"], 3)


def test_ranks_count_from_one_and_scores_fall(seed_data: Path, embedder: SentenceTransformerEmbedder) -> None:
    retriever = Retriever(Catalogue(Settings(data_dir=seed_data).catalogue_url()), embedder, seed_data)
    results = retriever.retrieve(["Who manages the park?", "the park"], 5)
    assert [result.rank for result in results] == [1, 2, 3, 4, 5]
    assert all(0 <= after.score <= before.score <= 1 for before, after in pairwise(results))
    assert len({result.chunk.chunk_id for result in results}) == 5


def test_a_follow_up_is_about_what_was_said_before(seed_data: Path, embedder: SentenceTransformerEmbedder) -> None:
    retriever = Retriever(Catalogue(Settings(data_dir=seed_data).catalogue_url()), embedder, seed_data)
    asked = "How much will it cost?"
    alone = {one.chunk.chunk_id: one for one in retriever.retrieve([asked], 50)}
    said = max(alone.values(), key=lambda one: one.rank).chunk.text[:300]  # of what this question finds last
    said_vector = embedder.embed([said])[0]
    together = retriever.retrieve([asked], 50, [said])
    for one in together:
        about = max(float(embedder.embed([f"{one.chunk.title[:120]}\n{one.chunk.text}"])[0] @ said_vector), 0.0)
        assert one.score == pytest.approx(0.75 * alone[one.chunk.chunk_id].score + 0.25 * about, abs=1e-3)
    assert [one.score for one in together] == sorted((one.score for one in together), reverse=True)
    assert next(one.rank for one in together if one.chunk.text.startswith(said)) < len(alone)
