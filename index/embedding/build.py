"""Settings to embedder."""

from __future__ import annotations

from index.embedding.sentence_transformer import SentenceTransformerEmbedder
from index.settings import IndexSettings


def build_embedder(settings: IndexSettings) -> SentenceTransformerEmbedder:
    """Return the embedder that the settings name; the model is loaded on first use.

    Raises:
        ModelNotFoundError: There is no such model on this machine.
    """
    return SentenceTransformerEmbedder(settings.embedding_model, settings.embedding_runtime, settings.model_cache)
