"""R14: the search indexes of 20,000 chunks, made again from what the database holds.

`pytest -s -m slow tests/index/test_rebuilt.py` prints how long that takes; the goal is 60 s at most.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from index.embedding.embedder import Vectors
from index.generation import generations_folder, problem_of
from index.settings import IndexSettings
from index.store.catalogue import Catalogue
from index.sync import synchronise
from tests.index.word_embedder import WordEmbedder

_CHUNKS = 20_000
_WORDS_A_CHUNK = 110  # 800 characters, as our chunks have them
_BOUND = 600.0  # seconds; ten times the goal, for a machine that does much else
_WITHOUT_MODELS = """
import sys
sys.modules.update(dict.fromkeys(["openvino", "sentence_transformers", "torch", "transformers"]))
from index.generation.rebuild import main
sys.exit(main(sys.argv[1]))
"""


class RandomEmbedder(WordEmbedder):
    """Gives vectors of the usual size that mean nothing."""

    model_id = "random@1"
    dimension = 384

    def embed(self, texts: Sequence[str]) -> Vectors:
        vectors = np.random.default_rng(len(texts)).normal(size=(len(texts), 384)).astype(np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def write_corpus(path: Path, chunks: int) -> None:
    """Write rows of one chunk each, of 30,000 words that are as frequent as words are."""
    chance = random.Random(14)
    words = [f"w{number}" for number in range(30_000)]
    weights = [1 / rank for rank in range(1, len(words) + 1)]
    drawn = iter(chance.choices(words, weights, k=chunks * _WORDS_A_CHUNK))
    with path.open("w", encoding="utf-8") as file:
        for number in range(chunks):
            text = " ".join(next(drawn) for _ in range(_WORDS_A_CHUNK))
            file.write(json.dumps({"_id": str(number), "title": f"Row {number}", "text": f"{text}."}) + "\n")


@pytest.mark.slow
@pytest.mark.timeout(3_600)
def test_20_000_chunks_are_made_again_from_stored_vectors_without_a_model(tmp_path: Path) -> None:
    write_corpus(tmp_path / "corpus.jsonl", _CHUNKS)
    settings = IndexSettings(data_dir=tmp_path / "data")
    with closing(Catalogue(settings.catalogue_url())) as catalogue:
        synchronise([tmp_path / "corpus.jsonl"], settings, catalogue, RandomEmbedder())
        assert catalogue.count_chunks() == _CHUNKS
        name, fingerprint = catalogue.property("generation"), catalogue.property("fingerprint")
    shutil.rmtree(generations_folder(settings.data_dir))
    begin = time.monotonic()
    subprocess.run(
        [sys.executable, "-c", _WITHOUT_MODELS, settings.data_dir],
        env={**os.environ, "FOOTNOTE_DATABASE_URL": settings.catalogue_url()},
        check=True,
    )
    seconds = time.monotonic() - begin
    sys.stdout.write(f"{_CHUNKS} chunks made again in {seconds:.1f} s, load {os.getloadavg()[0]:.1f}\n")
    assert problem_of(settings.data_dir, name, fingerprint) == ""
    assert seconds < _BOUND
