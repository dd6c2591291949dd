"""What is measured of each contender: it indexes a corpus, indexes it again unchanged, and retrieves."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from bot.build import build_chatbot
from bot.chatbot import Chatbot
from bot.settings import Settings
from eval.errors import EvaluationError
from index.embedding.build import build_embedder
from index.embedding.model_files import find_model
from index.settings import EmbeddingRuntime
from index.store.catalogue import Catalogue
from index.sync import synchronise


class Contender(Protocol):
    """Somebody who can be timed. Nothing is loaded before `index` is called."""

    def index(self) -> None:
        """Bring the index in line with the corpus."""
        ...

    def retrieve(self, question: str) -> None:
        """Find passages for a question."""
        ...


class Ours:
    """Footnote with one of its two embedding runtimes.

    Args:
        corpus: A `corpus.jsonl`.
        folder: Where its index is kept.
        runtime: `torch` is the plain path, `openvino` the default.
    """

    def __init__(self, corpus: Path, folder: Path, runtime: EmbeddingRuntime) -> None:
        self._corpus = corpus
        self._settings = Settings(data_dir=folder, answerer="extractive", embedding_runtime=runtime)
        self._embedder = build_embedder(self._settings)
        self._chatbot: Chatbot | None = None

    def index(self) -> None:
        """Bring the index in line with the corpus."""
        catalogue = Catalogue(self._settings.catalogue_url())
        try:
            synchronise([self._corpus], self._settings, catalogue, self._embedder)
        finally:
            catalogue.close()

    def retrieve(self, question: str) -> None:
        """Find passages for a question."""
        if self._chatbot is None:
            self._chatbot = build_chatbot(self._settings, self._embedder)
        self._chatbot.search(question)


class Starter:
    """What llama-index's documentation starts with: a vector index over Chroma, with its defaults.

    The same embedding model, as its adapter for sentence-transformers loads it.

    Raises:
        EvaluationError: The adapters are not installed.
    """

    def __init__(self, corpus: Path, folder: Path) -> None:
        try:
            import chromadb  # seconds; only this contender needs them
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
        """Embed every document: it keeps no record of what is there, so a second time costs and stores the same."""
        from llama_index.core import Document, StorageContext, VectorStoreIndex
        from llama_index.core.node_parser import SentenceSplitter

        with self._corpus.open(encoding="utf-8") as file:
            rows = [json.loads(line) for line in file if line.strip()]
        documents = [
            Document(id_=row["_id"], text=row["text"], metadata={"title": row.get("title") or ""}) for row in rows
        ]
        index = VectorStoreIndex.from_documents(
            documents,
            storage_context=StorageContext.from_defaults(vector_store=self._store),
            embed_model=self._embedding,
            transformations=[SentenceSplitter()],
        )
        self._retrieve = index.as_retriever().retrieve

    def retrieve(self, question: str) -> None:
        """Find passages for a question."""
        assert self._retrieve is not None, "index first"
        self._retrieve(question)


def build_contender(name: str, corpus: Path, folder: Path) -> Contender:
    """Return a contender by name.

    Raises:
        EvaluationError: The starter's adapters are not installed.
    """
    if name == "starter":
        return Starter(corpus, folder)
    return Ours(corpus, folder, "torch" if name == "plain" else "openvino")
