"""A folder of documents, its index, and the dictionary that says what the index must hold."""

from __future__ import annotations

import multiprocessing
import os
import resource
from contextlib import closing
from pathlib import Path

from index.errors import NoDocumentsError
from index.generation import GenerationSnapshot, build, generations_folder
from index.generation.manifest import read_manifest
from index.search.retriever import Retriever
from index.settings import IndexSettings
from index.store.catalogue import Catalogue
from index.sync import SyncReport, synchronise
from tests.index.word_embedder import WordEmbedder

FILE_LIMIT = 200_000_000  # bytes; a torn Chroma index grows without end
_SENTENCES = 12


def text_of(name: str, version: int) -> str:
    """Return a document of a few chunks in which every version of every name has words of its own."""
    lines = [f"Line {line} of {name} says {name}v{version}x{line} about the harbour." for line in range(_SENTENCES)]
    return f"{name} papers\n\n" + "\n".join(lines) + "\n"


class Archive:
    """Changes a folder, runs the indexing, and compares the index with a dictionary of texts by document id."""

    def __init__(self, root: Path) -> None:
        self.folder, self.data = root / "documents", root / "data"
        self.folder.mkdir()
        self.texts: dict[str, str] = {}
        self.settings = IndexSettings(data_dir=self.data, chunk_tokens=50, overlap_tokens=10)

    def write(self, name: str, version: int) -> None:
        """Add a document or change it."""
        self.texts[f"{name}.txt"] = text_of(name, version)
        (self.folder / f"{name}.txt").write_text(self.texts[f"{name}.txt"], encoding="utf-8")

    def delete(self, name: str) -> None:
        """Remove a document."""
        del self.texts[f"{name}.txt"]
        (self.folder / f"{name}.txt").unlink()

    def run(self) -> SyncReport:
        """Index the folder in this process."""
        with closing(Catalogue(self.settings.catalogue_url())) as catalogue:
            return synchronise([self.folder], self.settings, catalogue, WordEmbedder(), allow_empty=True)

    def start(self, failpoint: str = "", *, copying: bool = False) -> multiprocessing.process.BaseProcess:
        """Index the folder in a process of its own, which can be killed.

        Args:
            failpoint: Where it is to end.
            copying: Change a copy of the live generation, which else is done with large ones alone.
        """
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["tests.index.archive", "index.search.vectors"])
        process = context.Process(target=_index, args=(self, failpoint, copying))
        process.start()
        return process

    def held(self) -> dict[str, str]:
        """Return the live documents by id, after checking that database and search indexes say the same."""
        with closing(Catalogue(self.settings.catalogue_url())) as catalogue:
            name = catalogue.property("generation")
            if not name:
                assert not catalogue.summaries()
                return {}
            live = catalogue.chunk_sets.live()
            stored = list(live.ids())
            assert len(stored) == len(set(stored)), "a chunk is there twice"
            generation = GenerationSnapshot(self.data, name, catalogue.property("fingerprint"), live)
            with closing(generation):
                assert generation.problem == ""
                assert read_manifest(generations_folder(self.data) / name).chunks == len(stored)
                assert sorted(generation.keywords.chunk_ids()) == stored
            ids = [summary.document_id for summary in catalogue.summaries()]
            found = {one: catalogue.document(one) for one in ids}
            return {one: document.text for one, document in found.items() if document}

    def assert_answers(self, texts: dict[str, str]) -> None:
        """Check that every document is found by words that it alone holds."""
        with closing(Catalogue(self.settings.catalogue_url())) as catalogue:
            retriever = Retriever(catalogue, WordEmbedder(), self.data)
            for document_id, text in texts.items():
                best = retriever.retrieve([text.split("\n")[2]], 1)
                assert [found.chunk.document_id for found in best] == [document_id]
            retriever.close()


def change_copies() -> None:
    """Have this process change a copy of the live generation, however small it is and however much changes."""
    build.CHANGED_FROM, build.MOST_CHANGED, build.MOST_TAKEN_OUT = 1, 1e9, 1e9  # type: ignore[misc]


def _index(archive: Archive, failpoint: str, copying: bool) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_LIMIT, FILE_LIMIT))
    os.environ["FOOTNOTE_FAILPOINT"] = failpoint
    if copying:
        change_copies()
    try:
        archive.run()
    except NoDocumentsError:
        os._exit(1)
