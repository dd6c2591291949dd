"""R10: files that are cut, flipped, emptied or gone are found before they serve, answered for, and built again."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from index.generation import GenerationSnapshot, generations_folder, problem_of, snapshot
from index.generation.rebuild import rebuild
from index.search.retriever import Retriever
from index.store.catalogue import Catalogue
from tests.index.archive import Archive
from tests.index.word_embedder import WordEmbedder


def _cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def _flip(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :] if content else content


DAMAGES: dict[str, Callable[[bytes], bytes] | None] = {
    "deleted": None,
    "emptied": lambda _content: b"",
    "cut": _cut,
    "one bit flipped": _flip,
    "last byte gone": lambda content: content[:-1],
    "one byte more": lambda content: content + b"\0",
    "overwritten": lambda content: bytes(range(256)) * (len(content) // 256 + 1),
    "zeroed": lambda content: bytes(len(content)),
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    archive = Archive(tmp_path_factory.mktemp("whole"))
    for number in range(40):
        archive.write(f"paper{number}", 1)
    archive.run()
    return archive


def test_every_damage_to_every_file_is_found_and_answered_for(whole: Archive, tmp_path: Path) -> None:
    (pristine,) = generations_folder(whole.data).iterdir()
    names = [path.relative_to(pristine) for path in pristine.rglob("*") if path.is_file()]
    assert len(names) == 9
    (question,) = (text.split("\n")[2] for name, text in whole.texts.items() if name == "paper7.txt")
    variants = 0
    with closing(Catalogue(whole.settings.catalogue_url())) as catalogue:
        fingerprint = catalogue.property("fingerprint")
        for name in names:
            for change in DAMAGES.values():
                data = tmp_path / f"{variants}"
                copy = generations_folder(data) / pristine.name
                shutil.copytree(pristine, copy)
                content = (copy / name).read_bytes()
                damaged = change(content) if change else None
                if damaged == content:  # one file is empty from the beginning
                    shutil.rmtree(data)
                    continue
                (copy / name).unlink()
                if damaged is not None:
                    (copy / name).write_bytes(damaged)
                problem = problem_of(data, pristine.name, fingerprint)
                assert problem == name.as_posix()
                with closing(
                    GenerationSnapshot(data, pristine.name, fingerprint, catalogue.chunk_sets.live())
                ) as generation:
                    (vector,) = WordEmbedder().embed([question])
                    ((best, _),) = generation.vectors.search(vector, 1)
                    assert catalogue.chunks([best])[best].document_id == "paper7.txt"
                    found = [chunk_id for chunk_id, _ in generation.keywords.search(question, 10)]
                    assert set(catalogue.chunks(found)) == set(found)
                variants += 1
                shutil.rmtree(data)
    assert variants >= 60


@pytest.mark.parametrize("part", ["manifest.json", "keywords.db", "chroma.sqlite3", "data_level0.bin", "vectors.npy"])
def test_a_damaged_generation_is_built_again_under_its_name(whole: Archive, tmp_path: Path, part: str) -> None:
    data = tmp_path / "data"
    shutil.copytree(whole.data, data)
    (generation,) = generations_folder(data).iterdir()
    (path,) = generation.rglob(part)
    path.write_bytes(b"noise")
    url = f"sqlite:///{data / 'footnote.db'}"
    with closing(Catalogue(url)) as catalogue:
        assert rebuild(data, catalogue)
        assert [one.name for one in generations_folder(data).iterdir()] == [generation.name]
        assert problem_of(data, generation.name, catalogue.property("fingerprint")) == ""
        assert not rebuild(data, catalogue)  # nothing left to do


def test_a_process_that_stays_answers_meanwhile_and_mends_by_itself(
    whole: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "_SOON_BUILT", 0)  # as if there were many
    data = tmp_path / "data"
    shutil.copytree(whole.data, data)
    (generation,) = generations_folder(data).iterdir()
    (generation / "keywords.db").write_bytes(b"noise")
    shutil.rmtree(generation / "exact")
    question = whole.texts["paper7.txt"].split("\n")[2]
    with closing(Catalogue(f"sqlite:///{data / 'footnote.db'}")) as catalogue:
        retriever = Retriever(catalogue, WordEmbedder(), data, mend=True)
        (before,) = retriever.retrieve([question], 1)
        assert (before.chunk.document_id, before.keyword_score) == ("paper7.txt", None)  # the database answered
        deadline = time.monotonic() + 120
        after = before
        while after.keyword_score is None:
            assert time.monotonic() < deadline
            time.sleep(0.2)
            (after,) = retriever.retrieve([question], 1)
        assert after.chunk.document_id == "paper7.txt"
        assert problem_of(data, generation.name, catalogue.property("fingerprint")) == ""
        retriever.close()


def test_keywords_of_few_chunks_are_made_at_once(whole: Archive, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(whole.data, data)
    (generation,) = generations_folder(data).iterdir()
    (generation / "keywords.db").unlink()
    with closing(Catalogue(f"sqlite:///{data / 'footnote.db'}")) as catalogue:
        retriever = Retriever(catalogue, WordEmbedder(), data)
        (found,) = retriever.retrieve([whole.texts["paper7.txt"].split("\n")[2]], 1)
        assert found.chunk.document_id == "paper7.txt"
        assert found.keyword_score
        retriever.close()


def test_files_of_another_state_are_not_served(whole: Archive, tmp_path: Path) -> None:
    """Such as those of a machine that went on before its database was restored from a copy."""
    data = tmp_path / "data"
    shutil.copytree(whole.data, data)
    (generation,) = generations_folder(data).iterdir()
    with closing(Catalogue(f"sqlite:///{data / 'footnote.db'}")) as catalogue:
        assert problem_of(data, generation.name, "0" * 32) == "manifest.json"
        assert problem_of(data, generation.name, catalogue.property("fingerprint")) == ""
