"""Footnote's search as a llama-index retriever."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, Self

from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.schema import NodeRelationship, NodeWithScore, QueryBundle, RelatedNodeInfo, TextNode

from bot.build import build_chatbot
from bot.chatbot import Chatbot
from bot.found import find
from bot.settings import load_settings

# A place helps whoever follows it up; a language model only reads what the piece is from.
_PLACE = ["document_id", "start", "end"]


class FootnoteRetriever(BaseRetriever):  # type: ignore[misc]  # llama-index is not typed for us
    """Finds pieces of documents, best first, each with its address in the metadata.

    Args:
        chatbot: Whose index is searched.
        top_k: How many pieces to find; the setting `top_k` when None.
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
        return cls(build_chatbot(load_settings({"data_dir": Path(data_dir), **settings})), top_k)

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        found = find(self._chatbot, query_bundle.query_str, top_k=self._top_k)
        return [
            NodeWithScore(
                node=source_node(one.chunk_id, one.text, one.document_id, one.title, one.page, one.start, one.end),
                score=one.score,
            )
            for one in found.retrieved
        ]

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return await asyncio.to_thread(self._retrieve, query_bundle)

    def close(self) -> None:
        """Release the index and the database."""
        self._chatbot.close()


def source_node(
    node_id: str, text: str, document_id: str, title: str, page: int | None, start: int, end: int, **more: Any
) -> TextNode:
    """Return a place in a document as a node, its address in the metadata."""
    place = {"document_id": document_id, "title": title, "page": page, "start": start, "end": end, **more}
    hidden = [*_PLACE, *more]
    return TextNode(
        id_=node_id,
        text=text,
        metadata=place,
        start_char_idx=start,
        end_char_idx=end,
        excluded_llm_metadata_keys=hidden,
        excluded_embed_metadata_keys=hidden,
        relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id=document_id)},
    )
