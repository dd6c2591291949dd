"""A set's documents as an index of their own."""

from __future__ import annotations

from pathlib import Path

from bot.settings import Settings
from index.catalogue import Catalogue
from index.embedding.embedder import Embedder
from index.sync import synchronise


def index_corpus(corpus: Path, data_dir: Path, settings: Settings, embedder: Embedder) -> Settings:
    """Index a corpus in a folder, unless it is there already, and return the settings to ask it with.

    The database is always the one in that folder: a set must never replace the documents of a database that is used.
    """
    chosen = settings.model_copy(update={"data_dir": data_dir, "database_url": ""})
    catalogue = Catalogue(chosen.catalogue_url())
    try:
        synchronise([corpus], chosen, catalogue, embedder)
    finally:
        catalogue.close()
    return chosen
