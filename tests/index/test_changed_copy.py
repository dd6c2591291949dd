"""A changed copy of the live generation finds what one built anew finds, and keeps nothing that was deleted."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

import pytest

from index.generation import GenerationSnapshot, build, generations_folder
from index.generation.manifest import read_manifest
from index.settings import IndexSettings
from index.store.catalogue import Catalogue
from tests.index.archive import Archive, change_copies
from tests.index.word_embedder import WordEmbedder


@pytest.fixture
def copying(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CHANGED_FROM", "MOST_CHANGED", "MOST_TAKEN_OUT"):
        monkeypatch.setattr(build, name, getattr(build, name))  # put back afterwards
    change_copies()


def found(data: Path, questions: list[str]) -> list[list[tuple[str, float]]]:
    with closing(Catalogue(IndexSettings(data_dir=data).catalogue_url())) as catalogue:
        name, fingerprint = catalogue.property("generation"), catalogue.property("fingerprint")
        with closing(GenerationSnapshot(data, name, fingerprint, catalogue.chunk_sets.live())) as generation:
            by_words = [generation.keywords.search(question, 10, (), 0.3) for question in questions]
            by_vectors = [generation.vectors.search(vector, 10) for vector in WordEmbedder().embed(questions)]
    return [[(one, round(score, 5)) for one, score in found] for found in (*by_words, *by_vectors)]


@pytest.mark.usefixtures("copying")
def test_a_changed_copy_finds_what_a_new_build_finds(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    for number in range(12):
        archive.write(f"paper{number}", 1)
    archive.run()
    first = read_manifest(generations_folder(archive.data) / "000001")
    archive.write("paper3", 2)
    archive.write("paper20", 1)
    archive.delete("paper7")
    archive.run()
    archive.write("paper7", 3)  # a number is not given twice, a name may come back
    archive.delete("paper20")
    archive.run()
    assert archive.held() == archive.texts
    changed = read_manifest(generations_folder(archive.data) / "000003")
    assert first.taken_out == 0 < changed.taken_out

    questions = ["What says paper3v2x4?", "paper7 harbour line", "paper7v1x2", "paper20v1x2 about", "papers of paper11"]
    copied = found(archive.data, questions)
    shutil.rmtree(archive.data)
    archive.run()
    built = read_manifest(generations_folder(archive.data) / "000001")
    assert built.taken_out == 0
    assert (built.fingerprint, built.chunks) == (changed.fingerprint, changed.chunks)
    assert found(archive.data, questions) == copied


@pytest.mark.usefixtures("copying")
def test_nothing_of_a_deleted_document_stays_in_a_changed_copy(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    for name in ("ferry", "library", "tram"):
        archive.write(name, 1)
    archive.run()
    archive.delete("tram")
    archive.run()
    (generation,) = generations_folder(archive.data).iterdir()
    assert read_manifest(generation).taken_out > 0
    everything = b"".join(path.read_bytes() for path in archive.data.rglob("*") if path.is_file())
    assert b"tramv1x3" not in everything
    assert b"ferryv1x3" in everything


def test_what_is_small_or_changes_much_is_built_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = Archive(tmp_path)
    for number in range(10):
        archive.write(f"paper{number}", 1)
    archive.run()

    def is_a_copy() -> bool:
        (generation,) = generations_folder(archive.data).iterdir()
        return read_manifest(generation).taken_out > 0

    archive.write("paper0", 2)
    archive.run()
    assert not is_a_copy()  # small
    monkeypatch.setattr(build, "CHANGED_FROM", 10)
    for number in range(5):
        archive.write(f"paper{number}", 3)
    archive.run()
    assert not is_a_copy()  # half of it changed
    monkeypatch.setattr(build, "MOST_CHANGED", 0.21)
    archive.write("paper0", 4)
    archive.run()
    assert is_a_copy()
    archive.write("paper1", 4)
    archive.run()
    assert is_a_copy()
    archive.write("paper2", 4)
    archive.run()
    assert not is_a_copy()  # a third would have been taken out since the last build
