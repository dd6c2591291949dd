"""The database: there, and whole.

The Chroma server, where one is named: it answers, and has the vectors of the live index.

What became of the files that were to be indexed.

The search indexes: they open, and hold what the database says.

The vectors in the database, of which the search indexes are built again.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import closing

from bot.operations.doctor.finding import Check
from bot.settings import Settings
from index.embedding.build import build_embedder
from index.embedding.model_files import find_model, identify
from index.errors import ChromaUnavailableError, FootnoteError
from index.generation import problem_of
from index.generation.manifest import generation_folder, read_manifest
from index.search.chroma_server import CollectionError, chroma_server
from index.store.catalogue import Catalogue


def has_database(settings: Settings) -> bool:
    """Return whether there is a database, without making one."""
    if settings.database_url or not os.access(settings.data_dir, os.X_OK):
        return bool(settings.database_url) or settings.data_dir.exists()  # what is kept from us is there
    return (settings.data_dir / "footnote.db").exists()


def check_database(catalogue: Catalogue) -> Check:
    """Have the database, which could be opened, look at itself."""
    if problem := catalogue.find_damage():
        advice = "restore a backup with `footnote restore`, or index the folders into a new --data-dir"
        return Check(name="database", state="failed", message=f"is damaged ({problem}): {advice}")
    return Check(name="database", state="ok", message="opens and is whole")


_NAME = "chroma server"


def check_chroma_server(settings: Settings, catalogue: Catalogue) -> Iterator[Check]:
    """Yield what is known of the server; only warnings, since search goes on without it."""
    server = chroma_server(settings, catalogue)
    name = catalogue.property("generation")
    if server is None or not name:
        return
    with closing(server):
        try:
            held, expected = server.find(name).chunks, catalogue.count_chunks()
        except ChromaUnavailableError as error:
            yield Check(name=_NAME, state="warning", message=str(error))
            return
        except CollectionError:
            held, expected = 0, catalogue.count_chunks()
    if held == expected:
        yield Check(name=_NAME, state="ok", message=f"{settings.chroma_url} has generation {name}")
        return
    message = f"{settings.chroma_url} has {held} of {expected} vectors of generation {name}: a search sends them"
    yield Check(name=_NAME, state="warning", message=message)


_SHOWN = 3


def check_files(catalogue: Catalogue) -> Check:
    """Count the files by state, and name the first that failed."""
    records = catalogue.files.records()
    counts = Counter(record.state for record in records)
    message = ", ".join(f"{count} {state}" for state, count in sorted(counts.items())) or "none has been seen yet"
    failed = [f"{record.source} {record.reason}" for record in records if record.state == "failed"]
    if not failed:
        return Check(name="files", state="ok", message=message)
    more = f"; {len(failed) - _SHOWN} more" if len(failed) > _SHOWN else ""
    message += f" ({'; '.join(failed[:_SHOWN])}{more}): mend or exclude them, see `footnote index --status`"
    return Check(name="files", state="warning", message=message)


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
