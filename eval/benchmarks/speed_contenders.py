"""The contenders of the speed benchmark: each indexes a corpus, indexes it again unchanged, and retrieves."""

from __future__ import annotations

import functools
import json
import resource
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

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

# Brings the index in line with the corpus, and finds passages for a question.
Contender = tuple[Callable[[], object], Callable[[str], object]]


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
    if name == "starter":
        index, retrieve = _open_starter(Path(corpus), Path(folder))
    else:
        index, retrieve = _open_footnote(Path(corpus), Path(folder), "torch" if name == "plain" else "openvino")
    measured: dict[str, Any] = {"load_seconds": time.perf_counter() - begin}
    measured["index_seconds"] = _seconds(index)
    measured["index_again_seconds"] = _seconds(index)
    retrieve(texts[0])  # not timed: some parts are opened on first use
    measured["retrieve_ms"] = [1000 * _seconds(functools.partial(retrieve, text)) for text in texts]
    return {**measured, "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def _seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def _open_footnote(corpus: Path, folder: Path, runtime: EmbeddingRuntime) -> Contender:
    """Return Footnote with one of its two embedding runtimes."""
    settings = Settings(data_dir=folder, answerer="extractive", embedding_runtime=runtime)
    embedder = build_embedder(settings)

    def index() -> None:
        with closing(Catalogue(settings.catalogue_url())) as catalogue:
            synchronise([corpus], settings, catalogue, embedder)

    @functools.cache
    def chatbot() -> Chatbot:
        return build_chatbot(settings, embedder)

    return index, lambda question: chatbot().search(question)


def _open_starter(corpus: Path, folder: Path) -> Contender:
    """Return what llama-index's documentation starts with: a vector index over Chroma, with its defaults.

    The embedding model is the same, as llama-index's adapter for sentence-transformers loads it. The starter keeps no
    record of what is indexed, so indexing a second time costs the same.
    """
    try:
        import chromadb  # takes seconds, and only this contender needs it
        from llama_index.embeddings.huggingface import HuggingFaceEmbedding
        from llama_index.vector_stores.chroma import ChromaVectorStore
    except ImportError as error:
        raise EvaluationError(
            "The starter needs llama-index-vector-stores-chroma and llama-index-embeddings-huggingface: install them."
        ) from error
    collection = chromadb.PersistentClient(str(folder)).get_or_create_collection("starter")
    store = ChromaVectorStore(chroma_collection=collection)
    embedding = HuggingFaceEmbedding(model_name=str(find_model(Settings().embedding_model)), device="cpu")
    retrievers: list[Any] = []

    def index() -> None:
        from llama_index.core import Document, StorageContext, VectorStoreIndex
        from llama_index.core.node_parser import SentenceSplitter

        built = VectorStoreIndex.from_documents(
            [
                Document(id_=row["_id"], text=row["text"], metadata={"title": row.get("title") or ""})
                for row in read_rows(corpus)
            ],
            storage_context=StorageContext.from_defaults(vector_store=store),
            embed_model=embedding,
            transformations=[SentenceSplitter()],
        )
        retrievers[:] = [built.as_retriever()]

    def retrieve(question: str) -> object:
        return retrievers[0].retrieve(question)

    return index, retrieve
