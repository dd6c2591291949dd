"""Publishing staged documents: a new generation is built and made live, then the old one is deleted."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Collection
from pathlib import Path
from typing import Final

from index.errors import IndexingError
from index.generation.build import BuildProgress, GenerationBuilder, GenerationChange
from index.generation.manifest import (
    GenerationManifest,
    generation_folder,
    generations_folder,
    next_name,
    sweep_generations,
)
from index.search.chroma_server import ChromaServer, failures_logged
from index.store.catalogue import Catalogue, Publication
from index.store.failpoints import failpoint

# Twice the size measured with 384 numbers a vector (docs/performance.md): Chroma writes its files more than once.
_BYTES_A_CHUNK: Final = 10_000


def publish_generation(
    data_dir: Path,
    catalogue: Catalogue,
    embedding_model: str,
    replaced: Collection[str],
    *,
    pipeline: str,
    server: ChromaServer | None = None,
    progress: BuildProgress | None = None,
) -> None:
    """Make the staged documents live and remove those they replace, in the database and in the search indexes.

    Args:
        data_dir: The data folder, whose lock the caller holds.
        catalogue: The database.
        embedding_model: Id of the model that made the vectors.
        replaced: Ids of the live documents that are removed.
        pipeline: Version and settings of the splitter, and the embedding model.
        server: A Chroma server that gets the vectors too. If it does not answer, the first process that searches it
            later sends them.
        progress: As for `GenerationBuilder`.

    Raises:
        IndexingError: The new generation cannot be written or failed verification; the old one stays live.
    """
    live = catalogue.property("generation")
    name = next_name(live)
    folder = generation_folder(data_dir, name)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        live_folder = generation_folder(data_dir, live or "none")
        manifest = _write(folder, live_folder, catalogue, embedding_model, replaced, progress)
    except (OSError, sqlite3.Error) as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise IndexingError(
            f"The new index cannot be written to {str(folder)!r} ({error}): make room or give "
            "permission, and run `footnote index` again. The index was left as it was."
        ) from error
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    if server is not None:
        with failures_logged():
            server.build(name, catalogue.chunk_sets.future(replaced).pages(), manifest.chunks)
    failpoint("publish")
    catalogue.publish(Publication(name, manifest.fingerprint, replaced, pipeline, embedding_model))
    failpoint("committed")
    catalogue.sweep()
    failpoint("sweep")
    sweep_generations(data_dir, keep=name)
    if server is not None:
        with failures_logged():
            server.sweep(keep=name)
    failpoint("swept")


def finish_sweep(data_dir: Path, catalogue: Catalogue) -> None:
    """Delete old generations and their vectors if a run was interrupted after publishing and before deleting them."""
    live = catalogue.property("generation")
    if any(path.name != live for path in generations_folder(data_dir).glob("*")):
        catalogue.sweep()
        sweep_generations(data_dir, keep=live)


def _write(
    folder: Path,
    live: Path,
    catalogue: Catalogue,
    embedding_model: str,
    replaced: Collection[str],
    progress: BuildProgress | None,
) -> GenerationManifest:
    """Write a generation of the chunks that will be live, by changing a copy of the live one where that is quicker."""
    sets = catalogue.chunk_sets
    change = GenerationChange(replaced, removed=sets.count_live(replaced), added=sets.count_staged())
    _check_free_space(folder.parent, catalogue.count_chunks() - change.removed + change.added)
    builder = GenerationBuilder(sets, embedding_model, progress)
    if builder.can_change(live, change):
        return builder.change(folder, live, change)
    return builder.build(folder, sets.future(replaced))


def _check_free_space(parent: Path, chunks: int) -> None:
    needed, free = _BYTES_A_CHUNK * chunks, shutil.disk_usage(parent).free
    if free < needed:
        raise IndexingError(
            f"The new index needs about {needed / 1e6:,.0f} MB, and {str(parent)!r} has {free / 1e6:,.0f} MB free: "
            "make room and run `footnote index` again. The index was left as it was."
        )
