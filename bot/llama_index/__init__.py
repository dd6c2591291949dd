"""Footnote inside a llama-index application: a retriever over its index, and a query engine with its answers.

from bot.llama_index import FootnoteQueryEngine
response = FootnoteQueryEngine.open("data").query("Who approved the budget?")
"""

from bot.llama_index.query_engine import FootnoteQueryEngine
from bot.llama_index.retriever import FootnoteRetriever

__all__ = ["FootnoteQueryEngine", "FootnoteRetriever"]
