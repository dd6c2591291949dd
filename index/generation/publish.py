"""From what is staged to what is live: a new generation, published, and the old one swept."""

from __future__ import annotations

import logging
import shutil
import sqlite3
from collections.abc import Collection
from pathlib import Path
from typing import Final

from index.errors import IndexingError
from index.generation.build import Change, GenerationBuilder, Progress
from index.generation.manifest import Manifest, generation_folder, generations_folder, next_name, sweep_generations
from index.search.chroma_server import ChromaServer, tolerated
from index.store.catalogue import Catalogue, Publication
from index.store.failpoints import failpoint

_LOG = logging.getLogger(__name__)
# 384 numbers a vector: twice what was measured (docs/performance.md), since Chroma writes its files more than once.
_BYTES_A_CHUNK: Final = 10_000


def renew(
    data_dir: Path,
    catalogue: Catalogue,
    embedding_model: str,
    replaced: Collection[str],
    *,
    pipeline: str,
    server: ChromaServer | None = None,
    progress: Progress | None = None,
) -> None:
    """Make what is staged live and what it replaces gone, in the database and in the search indexes.

    Args:
        data_dir: The data folder, which the caller owns.
        catalogue: The database.
        embedding_model: Which model made the vectors.
        replaced: The live documents that go.
        pipeline: How documents were cut and embedded.
        server: A Chroma server that is to have the vectors too. One that is away stops nobody: the first process that
            misses them there sends them.
        progress: As for `GenerationBuilder`.

    Raises:
        IndexingError: The new generation cannot be written or is not right; the old one stays live.
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
        with tolerated():
            server.build(name, catalogue.chunk_sets.future(replaced).pages(), manifest.chunks)
    failpoint("publish")
    catalogue.publish(Publication(name, manifest.fingerprint, replaced, pipeline, embedding_model))
    failpoint("committed")
    catalogue.sweep()
    failpoint("sweep")
    sweep_generations(data_dir, keep=name)
    if server is not None:
        with tolerated():
            server.sweep(keep=name)
    failpoint("swept")


def clean_up(data_dir: Path, catalogue: Catalogue) -> None:
    """Finish what a run was interrupted at after its documents had been published: remove what they replaced."""
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
    progress: Progress | None,
) -> Manifest:
    """Write a generation of what will be live, by changing a copy of the live one where that is quicker."""
    sets = catalogue.chunk_sets
    change = Change(replaced, taken_out=sets.count_live(replaced), put_in=sets.count_staged())
    _check_room(folder.parent, catalogue.count_chunks() - change.taken_out + change.put_in)
    builder = GenerationBuilder(sets, embedding_model, progress)
    if builder.can_change(live, change):
        return builder.change(folder, live, change)
    return builder.build(folder, sets.future(replaced))


def _check_room(parent: Path, chunks: int) -> None:
    needed, free = _BYTES_A_CHUNK * chunks, shutil.disk_usage(parent).free
    if free < needed:
        raise IndexingError(
            f"The new index needs about {needed / 1e6:,.0f} MB, and {str(parent)!r} has {free / 1e6:,.0f} MB free: "
            "make room and run `footnote index` again. The index was left as it was."
        )
