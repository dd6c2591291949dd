"""The search indexes: they open, and hold what the database says."""

from __future__ import annotations

from contextlib import closing

from bot.doctor.finding import Check
from bot.settings import Settings
from index.catalogue import Catalogue
from index.embedding.model_folder import find_model, identify
from index.errors import FootnoteError
from index.generation import Generation


def check_generation(settings: Settings, catalogue: Catalogue) -> Check:
    """Compare the live generation with the database and with the embedding model."""
    name = catalogue.property("generation")
    if not name:
        return Check(name="index", state="warning", message="nothing is indexed yet: run `footnote index FOLDER`")
    try:
        model = identify(settings.embedding_model, find_model(settings.embedding_model))
        with closing(Generation(settings.data_dir, name)) as generation:
            manifest = generation.manifest
    except FootnoteError as error:
        return Check(name="index", state="failed", message=str(error))
    documents, chunks = len(catalogue.summaries()), catalogue.count_chunks()
    if (manifest.chunks, manifest.fingerprint) != (chunks, catalogue.property("fingerprint")):
        message = f"generation {name} is not of the {chunks} chunks in the database: run `footnote index` again"
        return Check(name="index", state="failed", message=message)
    if manifest.embedding_model != model:
        message = (
            f"generation {name} was built with {manifest.embedding_model}, not {model}: run `footnote index` again, or "
            "set embedding_model back"
        )
        return Check(name="index", state="failed", message=message)
    return Check(name="index", state="ok", message=f"generation {name}, {documents} documents, {chunks} chunks")
