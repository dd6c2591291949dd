"""The search indexes: they open, and hold what the database says."""

from __future__ import annotations

from bot.doctor.finding import Check
from bot.settings import Settings
from index.catalogue import Catalogue
from index.embedding.model_folder import find_model, identify
from index.errors import FootnoteError
from index.generation import problem_of
from index.generation.folders import generation_folder
from index.generation.manifest import read_manifest


def check_generation(settings: Settings, catalogue: Catalogue) -> Check:
    """Compare the live generation with the database and with the embedding model."""
    name = catalogue.property("generation")
    if not name:
        return Check(name="index", state="warning", message="nothing is indexed yet: run `footnote index FOLDER`")
    try:
        model = identify(settings.embedding_model, find_model(settings.embedding_model))
    except FootnoteError as error:
        return Check(name="index", state="failed", message=str(error))
    if problem := problem_of(settings.data_dir, name, catalogue.property("fingerprint")):
        message = (
            f"generation {name} is damaged or missing ({problem}): run `footnote index`; `footnote serve` mends it by "
            "itself, and answers from the database meanwhile"
        )
        return Check(name="index", state="failed", message=message)
    if (made_with := catalogue.property("embedding_model")) != model:
        message = (
            f"generation {name} was built with {made_with}, not {model}: run `footnote index` again, or "
            "set embedding_model back"
        )
        return Check(name="index", state="failed", message=message)
    documents, chunks = len(catalogue.summaries()), catalogue.count_chunks()
    if (held := read_manifest(generation_folder(settings.data_dir, name)).chunks) != chunks:
        message = (
            f"generation {name} holds {held} chunks, the database {chunks}, so documents are lost: restore a backup "
            "with `footnote restore`, or index the folders into a new --data-dir"
        )
        return Check(name="index", state="failed", message=message)
    return Check(name="index", state="ok", message=f"generation {name}, {documents} documents, {chunks} chunks")
