"""Builds the live generation again from the database, without the embedding model, if files are damaged or missing.

    python -m index.generation.rebuild DATA_DIR        the database in FOOTNOTE_DATABASE_URL

The generation keeps its name. A machine that shares only the database with others gets its own files this way, too.
"""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import closing
from pathlib import Path

from index.errors import FootnoteError, IndexingError
from index.generation.build import BuildProgress, GenerationBuilder
from index.generation.manifest import generation_folder, make_durable, sweep_generations
from index.generation.snapshot import problem_of
from index.store.catalogue import Catalogue
from index.store.ownership import lock_data_folder


def rebuild(data_dir: Path, catalogue: Catalogue, progress: BuildProgress | None = None) -> bool:
    """Rebuild the files of the live generation if they are damaged; return whether they were.

    Raises:
        IndexBusyError: Another process is writing to the data folder.
        IndexingError: The files cannot be written, or documents were published meanwhile.
    """
    with lock_data_folder(data_dir):
        name, fingerprint = catalogue.property("generation"), catalogue.property("fingerprint")
        if not name or not problem_of(data_dir, name, fingerprint):
            return False
        folder = generation_folder(data_dir, name)
        new = folder.with_name(f"{name}.new")
        shutil.rmtree(new, ignore_errors=True)
        builder = GenerationBuilder(catalogue.chunk_sets, catalogue.property("embedding_model"), progress)
        manifest = builder.build(new, catalogue.chunk_sets.live())
        if (catalogue.property("generation"), manifest.fingerprint) != (name, fingerprint):
            shutil.rmtree(new)
            raise IndexingError("Documents were published while the index was built again: it is built once more.")
        shutil.rmtree(folder, ignore_errors=True)
        new.rename(folder)
        make_durable(folder)
        sweep_generations(data_dir, keep=name)
        return True


def main(data_dir: str) -> int:
    """Rebuild and return the exit code; print one line to stderr on failure."""
    try:
        with closing(Catalogue(os.environ["FOOTNOTE_DATABASE_URL"])) as catalogue:
            rebuild(Path(data_dir), catalogue)
    except FootnoteError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
