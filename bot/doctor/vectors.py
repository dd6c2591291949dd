"""The vectors in the database, of which the search indexes are built again."""

from __future__ import annotations

from bot.doctor.finding import Check
from bot.settings import Settings
from index.catalogue import Catalogue
from index.embedding.build import build_embedder


def check_vectors(settings: Settings, catalogue: Catalogue) -> Check:
    """Compare the lengths of the vectors with the embedding model's, which is loaded for it."""
    chunks = catalogue.count_chunks()
    damaged = catalogue.chunk_sets.count_damaged_vectors(build_embedder(settings).dimension)
    if not damaged:
        return Check(name="vectors", state="ok", message=f"{chunks}, all of the embedding model's length")
    message = (
        f"those of {damaged} of {chunks} chunks in the database are lost or cut short: restore a backup with "
        "`footnote restore`, or index the folders into a new --data-dir"
    )
    return Check(name="vectors", state="failed", message=message)
