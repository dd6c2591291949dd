"""Footnote inside a llama-index application: a retriever over its index, and a query engine with its answers.

from bot.programs.llama_index import FootnoteQueryEngine
response = FootnoteQueryEngine.open("data").query("Who approved the budget?")
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, Self

from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.base.response.schema import Response
from llama_index.core.callbacks.base import CallbackManager
from llama_index.core.schema import NodeRelationship, NodeWithScore, QueryBundle, RelatedNodeInfo, TextNode

from bot.answer.answer import Answer, Citation
from bot.build import build_chatbot
from bot.chatbot import Chatbot
from bot.settings import load_settings
from bot.web.search import FoundChunk, find

__all__ = ["FootnoteQueryEngine", "FootnoteRetriever"]

# Kept from language models and embedders: offsets help a program that opens the place, not a reader of the text.
_PLACE = ["document_id", "start", "end"]


class FootnoteRetriever(BaseRetriever):  # type: ignore[misc]  # llama-index is not typed for us
    """Finds chunks of documents, best first, each with its address in the metadata.

    Args:
        chatbot: Whose index is searched.
        top_k: How many chunks to find; the setting `top_k` when None.
    """

    def __init__(self, chatbot: Chatbot, top_k: int | None = None) -> None:
        super().__init__()
        self._chatbot = chatbot
        self._top_k = top_k

    @classmethod
    def open(cls, data_dir: str | Path = "data", top_k: int | None = None, **settings: Any) -> Self:
        """Return a retriever over the index in a data folder; further settings by name.

        Raises:
            FootnoteError: A setting, the database or the embedding model cannot be used.
        """
        return cls(_open_chatbot(data_dir, settings), top_k)

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        found = find(self._chatbot, query_bundle.query_str, top_k=self._top_k)
        return [NodeWithScore(node=_node(one.chunk_id, one.text, one), score=one.score) for one in found.retrieved]

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return await asyncio.to_thread(self._retrieve, query_bundle)

    def close(self) -> None:
        """Release the index and the database."""
        self._chatbot.close()


class FootnoteQueryEngine(BaseQueryEngine):  # type: ignore[misc]  # llama-index is not typed for us
    """Answers with verified statements.

    A response's text carries the markers `[n]`, its source nodes are the citations in the order of their numbers, and
    `metadata["footnote"]` is the Answer object. A refusal is a response without source nodes.

    Args:
        chatbot: Answers.
    """

    def __init__(self, chatbot: Chatbot) -> None:
        super().__init__(callback_manager=CallbackManager([]))
        self._chatbot = chatbot

    @classmethod
    def open(cls, data_dir: str | Path = "data", **settings: Any) -> Self:
        """Return a query engine over the index in a data folder; further settings by name.

        Raises:
            FootnoteError: A setting, the database or the embedding model cannot be used.
        """
        return cls(_open_chatbot(data_dir, settings))

    def _get_prompt_modules(self) -> dict[str, Any]:
        return {}

    def _query(self, query_bundle: QueryBundle) -> Response:
        answer = self._chatbot.ask(query_bundle.query_str)
        return Response(
            response=answer.text,
            source_nodes=[_citation_node(answer, citation) for citation in answer.citations],
            metadata={"footnote": answer.model_dump(mode="json")},
        )

    async def _aquery(self, query_bundle: QueryBundle) -> Response:
        return await asyncio.to_thread(self._query, query_bundle)

    def close(self) -> None:
        """Release the index, the database and the language model."""
        self._chatbot.close()


def _open_chatbot(data_dir: str | Path, settings: dict[str, Any]) -> Chatbot:
    return build_chatbot(load_settings({"data_dir": Path(data_dir), **settings}))


def _citation_node(answer: Answer, citation: Citation) -> NodeWithScore:
    """Return a citation as a node with the best score among the retrieved chunks that contain it, if any does."""
    scores = [
        entry.score
        for entry in answer.retrieved
        if entry.document_id == citation.document_id and entry.start <= citation.start and citation.end <= entry.end
    ]
    node = _node(f"{answer.id}-{citation.number}", citation.quote, citation, number=citation.number)
    return NodeWithScore(node=node, score=max(scores, default=None))


def _node(node_id: str, text: str, source: FoundChunk | Citation, **more: Any) -> TextNode:
    place = {name: getattr(source, name) for name in ("document_id", "title", "page", "start", "end")}
    hidden = [*_PLACE, *more]
    return TextNode(
        id_=node_id,
        text=text,
        metadata={**place, **more},
        start_char_idx=source.start,
        end_char_idx=source.end,
        excluded_llm_metadata_keys=hidden,
        excluded_embed_metadata_keys=hidden,
        relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id=source.document_id)},
    )
