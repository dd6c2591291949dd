"""Footnote inside a llama-index application."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from llama_index.core.base.response.schema import Response
from llama_index.core.llms import CompletionResponse, CustomLLM, LLMMetadata
from llama_index.core.query_engine import RetrieverQueryEngine

from bot.answer.answer import Answer, marker_numbers
from bot.answer.errors import SettingsError
from bot.chatbot import Chatbot
from bot.programs.llama_index import FootnoteQueryEngine, FootnoteRetriever
from tests.support.api_server import QUESTION


class ScriptedLLM(CustomLLM):
    """Says one thing, and keeps what it was asked."""

    asked: list[str] = []  # noqa: RUF012  # pydantic copies it

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata(context_window=8_000, num_output=100)

    def complete(self, prompt: str, formatted: bool = False, **_: Any) -> CompletionResponse:
        self.asked.append(prompt)
        return CompletionResponse(text="One billion Hong Kong dollars.")

    def stream_complete(self, prompt: str, formatted: bool = False, **_: Any) -> Iterator[CompletionResponse]:
        yield self.complete(prompt)


def test_nodes_carry_their_address_and_score(seed_chatbot: Chatbot) -> None:
    nodes = FootnoteRetriever(seed_chatbot, top_k=5).retrieve(QUESTION)
    assert len(nodes) == 5
    scores = [node.score for node in nodes]
    assert scores == sorted(scores, reverse=True)
    for node in nodes:
        document = seed_chatbot.document(node.metadata["document_id"])
        assert document is not None
        assert document.text[node.metadata["start"] : node.metadata["end"]] == node.node.text
        assert node.metadata["title"] == document.title
        assert node.metadata["page"] is None
        assert node.node.ref_doc_id == document.document_id


def test_stock_query_engine_works_on_our_retriever(seed_chatbot: Chatbot) -> None:
    model = ScriptedLLM()
    engine = RetrieverQueryEngine.from_args(FootnoteRetriever(seed_chatbot, top_k=3), llm=model)
    response = engine.query(QUESTION)
    assert str(response) == "One billion Hong Kong dollars."
    assert len(response.source_nodes) == 3
    assert response.source_nodes[0].node.text in model.asked[0]
    assert QUESTION in model.asked[0]
    assert response.source_nodes[0].metadata["title"] in model.asked[0]


def check(response: Response) -> None:
    answer = Answer.model_validate(response.metadata["footnote"])
    assert response.response == answer.text
    assert "1 billion" in answer.text
    assert [node.metadata["number"] for node in response.source_nodes] == sorted(set(marker_numbers(answer.text)))
    assert [node.node.text for node in response.source_nodes] == [citation.quote for citation in answer.citations]
    assert response.source_nodes[0].score > 0


def test_query_engine_answers_with_footnotes(seed_chatbot: Chatbot) -> None:
    engine = FootnoteQueryEngine(seed_chatbot)
    check(engine.query(QUESTION))
    check(asyncio.run(engine.aquery(QUESTION)))
    refused = engine.query("Who won the 1998 football world cup?")
    assert refused.source_nodes == []
    assert refused.metadata["footnote"]["kind"] == "refusal"


def test_it_is_opened_by_its_data_folder(seed_data: Path) -> None:
    with closing(FootnoteQueryEngine.open(seed_data, answerer="extractive")) as engine:
        check(engine.query(QUESTION))
    with closing(FootnoteRetriever.open(seed_data, top_k=2, answerer="extractive")) as retriever:
        assert len(retriever.retrieve(QUESTION)) == 2
    with pytest.raises(SettingsError):
        FootnoteRetriever.open(seed_data, answerer="nobody")
