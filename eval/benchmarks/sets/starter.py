"""The chat engine people start from, as a baseline: llama-index's own defaults over our embedding model.

`SentenceSplitter`, an in-memory `VectorStoreIndex`, the chat mode `condense_plus_context` and the two best chunks. It
cites nothing and has no confidence, so those measures stay unscored; a refusal is known by its words.
"""

from __future__ import annotations

import functools
import os
import re
import time
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

from llama_index.core import Document, VectorStoreIndex
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.base.llms.types import ChatMessage, ChatResponse, CompletionResponse, LLMMetadata
from llama_index.core.llms import LLM, CustomLLM
from llama_index.core.node_parser import SentenceSplitter
from pydantic import PrivateAttr

from bot.language_model.converted import convert
from bot.language_model.local import ModelProcess
from bot.language_model.runtime import RuntimeOptions, usable_threads
from bot.language_model.weights import cache_folder, find_weights
from bot.settings import Settings
from eval.benchmarks.sets.public_set import Query, read_rows
from eval.benchmarks.sets.set_run import Respondent
from eval.benchmarks.sets.stored_answer import StoredAnswer, asked_hash, hash_files
from eval.errors import EvaluationError
from index.embedding.embedder import Embedder

_TOP_K = 2
_TIMEOUT_SECONDS = 120.0  # to load a model; or to answer, as a small model on two cores reads two long chunks
_CONTEXT, _LONGEST_REPLY = 4_096, 1_024  # tokens
_SENTENCE_END = re.compile(r"(?<=[.!?])\s|(?<=[。！？])|\n")


class StarterAnswerer:
    """The starter over any corpus.

    Args:
        llm: The language model.
        language_model: Its name.
        embedder: The embedding model.
    """

    def __init__(self, llm: LLM, language_model: str, embedder: Embedder) -> None:
        self._llm = llm
        self._language_model = language_model
        self._embedder = embedder

    def measured(self) -> dict[str, Any]:
        """Return what the starter's answers depend on."""
        here = files("eval.benchmarks.sets")
        return {
            "answerer": "starter",
            "code": hash_files(here.joinpath("starter.py"), here.joinpath("refusal_phrases.toml")),
            "version": version("llama-index-core"),
            "language_model": self._language_model,
            "embedding_model": self._embedder.model_id,
        }

    @contextmanager
    def open(self, corpus: Path, data_dir: Path) -> Iterator[Respondent]:
        """Embed a corpus in memory and yield a starter over it; nothing is kept in the folder."""
        del data_dir
        documents = [
            Document(id_=row["_id"], text=row["text"], metadata={"title": row.get("title") or ""})
            for row in read_rows(corpus)
        ]
        index = VectorStoreIndex.from_documents(
            documents, transformations=[SentenceSplitter()], embed_model=_Embedding(self._embedder)
        )
        yield functools.partial(self._ask, index)

    def _ask(self, index: VectorStoreIndex, query: Query) -> StoredAnswer:
        # A new engine for each question, because an engine remembers what it was asked.
        engine = index.as_chat_engine(chat_mode="condense_plus_context", llm=self._llm, similarity_top_k=_TOP_K)
        history = [ChatMessage(role=turn.role, content=turn.content) for turn in query.history]
        begin = time.perf_counter()
        response = engine.chat(query.question, chat_history=history)
        total = round(1000 * (time.perf_counter() - begin), 1)
        return StoredAnswer(
            id=query.query_id,
            asked=asked_hash(query),
            kind="refusal" if sounds_like_refusal(response.response) else "answer",
            text=response.response,
            retrieved=tuple(found.node.ref_doc_id for found in response.source_nodes),
            timings_ms={"total": total},
            answerer="starter",
            language_model=self._language_model,
        )


@contextmanager
def open_starter(settings: Settings, embedder: Embedder, url: str | None, name: str) -> Iterator[StarterAnswerer]:
    """Yield the starter over the model `name` behind a URL that ends with `/v1`, or over the local model without one.

    The key of the server is read from `FOOTNOTE_STARTER_KEY`, if it needs one.

    Raises:
        ModelUnavailableError: The local model is wanted, and missing or unusable.
        EvaluationError: The adapter is not installed.
    """
    if url:
        yield StarterAnswerer(_connect(url, name, os.environ.get("FOOTNOTE_STARTER_KEY") or "none"), name, embedder)
        return
    cache = cache_folder(settings.model_cache)
    weights = find_weights(cache, settings.gguf)
    process = ModelProcess(RuntimeOptions(str(convert(cache, weights)), usable_threads()), weights.stem)
    try:
        process.load(_TIMEOUT_SECONDS)
        yield StarterAnswerer(_LocalLLM(process, weights.stem), weights.stem, embedder)
    finally:
        process.stop()


def _connect(url: str, name: str, key: str) -> LLM:
    try:
        from llama_index.llms.openai_like import OpenAILike  # an adapter of its own package
    except ImportError as error:
        raise EvaluationError("The starter needs the package llama-index-llms-openai-like: install it.") from error
    return OpenAILike(
        model=name,
        api_base=url,
        api_key=key,
        is_chat_model=True,
        temperature=0.0,
        timeout=_TIMEOUT_SECONDS,
        max_retries=1,
    )


def sounds_like_refusal(text: str) -> bool:
    """Return whether the first sentence of an answer says that there is none; an empty answer is one too."""
    first = _SENTENCE_END.split(text.strip(), maxsplit=1)[0].casefold().replace("’", "'")
    return not first or any(phrase in first for phrase in _phrases())


@functools.lru_cache(maxsize=1)
def _phrases() -> tuple[str, ...]:
    text = files("eval.benchmarks.sets").joinpath("refusal_phrases.toml").read_text(encoding="utf-8")
    return tuple(tomllib.loads(text)["phrases"])


class _LocalLLM(CustomLLM):  # type: ignore[misc]  # llama-index is not typed strictly
    """Our local model as llama-index wants it."""

    _process: ModelProcess = PrivateAttr()
    _name: str = PrivateAttr()

    def __init__(self, process: ModelProcess, name: str) -> None:
        super().__init__()
        self._process = process
        self._name = name

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata(
            context_window=_CONTEXT, num_output=_LONGEST_REPLY, model_name=self._name, is_chat_model=True
        )

    def chat(self, messages: Sequence[ChatMessage], **_kwargs: Any) -> ChatResponse:
        reply = self._reply([(message.role.value, message.content or "") for message in messages])
        return ChatResponse(message=ChatMessage(role="assistant", content=reply))

    def complete(self, prompt: str, formatted: bool = False, **_kwargs: Any) -> CompletionResponse:  # noqa: FBT001, FBT002
        del formatted
        return CompletionResponse(text=self._reply([("user", prompt)]))

    def stream_complete(self, prompt: str, formatted: bool = False, **_kwargs: Any) -> Any:  # noqa: FBT001, FBT002
        yield self.complete(prompt, formatted)

    def _reply(self, turns: list[tuple[str, str]]) -> str:
        request = {"turns": turns, "tokens": _LONGEST_REPLY, "stop": []}
        return "".join(message.get("piece", "") for message in self._process.answer(request, None))


class _Embedding(BaseEmbedding):  # type: ignore[misc]  # llama-index is not typed strictly
    """Our embedding model as llama-index wants it."""

    _embedder: Embedder = PrivateAttr()

    def __init__(self, embedder: Embedder) -> None:
        super().__init__(model_name=embedder.model_id)
        self._embedder = embedder

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._get_text_embeddings([query])[0]

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_query_embedding(query)

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        vectors: list[list[float]] = self._embedder.embed(texts).tolist()
        return vectors
