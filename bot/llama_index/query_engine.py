"""Footnote's answers as a llama-index query engine."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, Self

from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.response.schema import Response
from llama_index.core.callbacks.base import CallbackManager
from llama_index.core.schema import NodeWithScore, QueryBundle

from bot.answer import Answer, Citation
from bot.build import build_chatbot
from bot.chatbot import Chatbot
from bot.llama_index.retriever import source_node
from bot.settings import load_settings


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
        return cls(build_chatbot(load_settings({"data_dir": Path(data_dir), **settings})))

    def _get_prompt_modules(self) -> dict[str, Any]:
        return {}

    def _query(self, query_bundle: QueryBundle) -> Response:
        answer = self._chatbot.ask(query_bundle.query_str)
        return Response(
            response=answer.text,
            source_nodes=[_to_node(answer, citation) for citation in answer.citations],
            metadata={"footnote": answer.model_dump(mode="json")},
        )

    async def _aquery(self, query_bundle: QueryBundle) -> Response:
        return await asyncio.to_thread(self._query, query_bundle)

    def close(self) -> None:
        """Release the index, the database and the language model."""
        self._chatbot.close()


def _to_node(answer: Answer, citation: Citation) -> NodeWithScore:
    """Return a footnote as a node with the score of the best retrieved piece that it stands in, if it does."""
    scores = [
        entry.score
        for entry in answer.retrieved
        if entry.document_id == citation.document_id and entry.start <= citation.start and citation.end <= entry.end
    ]
    node = source_node(
        f"{answer.id}-{citation.number}",
        citation.quote,
        citation.document_id,
        citation.title,
        citation.page,
        citation.start,
        citation.end,
        number=citation.number,
    )
    return NodeWithScore(node=node, score=max(scores, default=None))
