from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from index.embedding.embedder import Vectors
from index.errors import IndexingError
from index.search.exact import ExactIndex, build_exact_index
from index.search.vectors import VectorIndex, write_vector_index


@pytest.fixture
def page() -> tuple[list[str], Vectors]:
    vectors = np.random.default_rng(1).normal(size=(300, 24)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return [f"c{number:03d}" for number in range(300)], vectors


def test_it_finds_what_chroma_finds(tmp_path: Path, page: tuple[list[str], Vectors]) -> None:
    ids, vectors = page
    build_exact_index(tmp_path / "exact", [(ids[:100], vectors[:100]), (ids[100:], vectors[100:])])
    write_vector_index(tmp_path / "chroma", [page], new=True)
    exact, chroma = ExactIndex(tmp_path / "exact"), VectorIndex(tmp_path / "chroma")
    assert len(list(exact.chunk_ids())) == len(list(chroma.chunk_ids())) == 300
    for vector in vectors[:20]:
        found, expected = exact.search(vector, 10), chroma.search(vector, 10)
        assert [chunk_id for chunk_id, _ in found] == [chunk_id for chunk_id, _ in expected]
        assert [score for _, score in found] == pytest.approx([score for _, score in expected], abs=1e-5)
    assert len(exact.search(vectors[0], 1_000)) == 300


def test_an_empty_one_finds_nothing(tmp_path: Path) -> None:
    build_exact_index(tmp_path / "exact", [])
    assert ExactIndex(tmp_path / "exact").search(np.ones(24, dtype=np.float32), 5) == []


@pytest.mark.parametrize("name", ["vectors.npy", "chunk_ids.npy"])
def test_a_damaged_one_is_named(tmp_path: Path, page: tuple[list[str], Vectors], name: str) -> None:
    build_exact_index(tmp_path / "exact", [page])
    os.truncate(tmp_path / "exact" / name, 200)
    with pytest.raises(IndexingError, match="cannot be read"):
        ExactIndex(tmp_path / "exact")
