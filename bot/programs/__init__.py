"""Footnote inside other programs: an MCP server, and a retriever and query engine for llama-index."""
