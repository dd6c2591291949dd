"""Copies and versions of documents, and which of them comes first."""
