"""The contenders of the speed benchmark: each indexes a corpus, indexes it again unchanged, and retrieves."""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from bot.build import build_chatbot
from bot.chatbot import Chatbot
from bot.settings import Settings
from eval.benchmarks.sets.public_set import read_rows
from eval.errors import EvaluationError
from index.embedding.build import build_embedder
from index.embedding.model_files import find_model
from index.settings import EmbeddingRuntime
from index.store.catalogue import Catalogue
from index.sync import synchronise


class Contender(Protocol):
    """What is timed."""

    def index(self) -> None:
        """Bring the index in line with the corpus."""
        ...

    def retrieve(self, question: str) -> None:
        """Find passages for a question."""
        ...


def time_contender(begin: float, name: str, corpus: str, questions: str, folder: str) -> dict[str, Any]:
    """Return seconds of each part, milliseconds of each retrieval, and the peak memory of this process in MiB.

    Args:
        begin: `time.perf_counter()` before this module was imported, which is part of the time to load.
        name: `starter`; `plain` for Footnote with PyTorch; anything else for Footnote with OpenVINO, its default.
        corpus: A `corpus.jsonl`.
        questions: A JSON file with a list of questions.
        folder: Where the index is kept.

    Raises:
        EvaluationError: The starter's adapters are not installed.
    """
    texts = json.loads(Path(questions).read_text(encoding="utf-8"))
    contender: Contender
    if name == "starter":
        contender = StarterContender(Path(corpus), Path(folder))
    else:
        contender = FootnoteContender(Path(corpus), Path(folder), "torch" if name == "plain" else "openvino")
    measured: dict[str, Any] = {"load_seconds": time.perf_counter() - begin}
    measured["index_seconds"] = _seconds(contender.index)
    measured["index_again_seconds"] = _seconds(contender.index)
    contender.retrieve(texts[0])  # not timed: some parts are opened on first use
    measured["retrieve_ms"] = [1000 * _seconds(partial(contender.retrieve, text)) for text in texts]
    return {**measured, "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def _seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


class FootnoteContender:
    """Footnote with one of its two embedding runtimes."""

    def __init__(self, corpus: Path, folder: Path, runtime: EmbeddingRuntime) -> None:
        self._corpus = corpus
        self._settings = Settings(data_dir=folder, answerer="extractive", embedding_runtime=runtime)
        self._embedder = build_embedder(self._settings)
        self._chatbot: Chatbot | None = None

    def index(self) -> None:
        """Bring the index in line with the corpus."""
        with closing(Catalogue(self._settings.catalogue_url())) as catalogue:
            synchronise([self._corpus], self._settings, catalogue, self._embedder)

    def retrieve(self, question: str) -> None:
        """Find passages for a question."""
        if self._chatbot is None:
            self._chatbot = build_chatbot(self._settings, self._embedder)
        self._chatbot.search(question)


class StarterContender:
    """What llama-index's documentation starts with: a vector index over Chroma, with its defaults.

    The same embedding model, as its adapter for sentence-transformers loads it.
    """

    def __init__(self, corpus: Path, folder: Path) -> None:
        try:
            import chromadb  # takes seconds, and only this contender needs it
            from llama_index.embeddings.huggingface import HuggingFaceEmbedding
            from llama_index.vector_stores.chroma import ChromaVectorStore
        except ImportError as error:
            raise EvaluationError(
                "The starter needs llama-index-vector-stores-chroma and "
                "llama-index-embeddings-huggingface: install them."
            ) from error
        self._corpus = corpus
        collection = chromadb.PersistentClient(str(folder)).get_or_create_collection("starter")
        self._store = ChromaVectorStore(chroma_collection=collection)
        self._embedding = HuggingFaceEmbedding(model_name=str(find_model(Settings().embedding_model)), device="cpu")
        self._retrieve: Callable[[str], object] | None = None

    def index(self) -> None:
        """Embed every document. The starter keeps no record of what is indexed, so a second time costs the same."""
        from llama_index.core import Document, StorageContext, VectorStoreIndex
        from llama_index.core.node_parser import SentenceSplitter

        index = VectorStoreIndex.from_documents(
            [
                Document(id_=row["_id"], text=row["text"], metadata={"title": row.get("title") or ""})
                for row in read_rows(self._corpus)
            ],
            storage_context=StorageContext.from_defaults(vector_store=self._store),
            embed_model=self._embedding,
            transformations=[SentenceSplitter()],
        )
        self._retrieve = index.as_retriever().retrieve

    def retrieve(self, question: str) -> None:
        """Find passages for a question."""
        assert self._retrieve is not None, "index first"
        self._retrieve(question)
