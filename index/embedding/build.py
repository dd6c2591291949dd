"""Choosing the embedder that the settings name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

from index.embedding.embedder import Embedder
from index.embedding.sentence_transformer import SentenceTransformerEmbedder
from index.settings import IndexSettings


def build_embedder(settings: IndexSettings) -> SentenceTransformerEmbedder:
    """Return the embedder that the settings name; the model is loaded on first use.

    Raises:
        ModelNotFoundError: There is no such model on this machine.
    """
    return SentenceTransformerEmbedder(settings.embedding_model, settings.embedding_runtime, settings.model_cache)


def comparing_embedder(embedder: Embedder) -> Embedder:
    """Return an embedder for texts that are only compared with each other: in half precision if the processor has it.

    Its vectors differ by up to 1e-2 in each number and are never stored.
    """
    return embedder.in_half_precision() if isinstance(embedder, SentenceTransformerEmbedder) else embedder


@contextmanager
def bulk_embedder(settings: IndexSettings, embedder: Embedder) -> Iterator[Embedder]:
    """Yield the embedder for documents: the Ray cluster that the settings name, else the given embedder.

    Raises:
        IndexingError: A cluster is named and Ray is not installed.
    """
    if not settings.ray_address:
        yield embedder
        return
    from index.embedding.ray_embedder import RayEmbedder  # optional

    with closing(RayEmbedder(embedder, settings)) as cluster:
        yield cluster
