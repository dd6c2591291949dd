"""R4 to R6: indexed again and again, copies of one text, an embedding model that fails, and two at once."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from index.embedding.embedder import Vectors
from index.errors import IndexBusyError
from index.generation import generations_folder
from index.store.catalogue import Catalogue
from index.store.ownership import lock_data_folder
from index.store.schema import METADATA
from index.sync import synchronise
from tests.index.archive import Archive
from tests.index.word_embedder import WordEmbedder


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    made = Archive(tmp_path)
    for name in ("ferry", "library", "tram"):
        made.write(name, 1)
    made.run()
    return made


def rows(archive: Archive) -> dict[str, list[tuple[object, ...]]]:
    engine = sa.create_engine(archive.settings.catalogue_url())
    tables = METADATA.sorted_tables
    with engine.connect() as connection:
        found = {table.name: [tuple(row) for row in connection.execute(sa.select(table))] for table in tables}
    found["sources"] = [row[:-1] for row in found["sources"]]  # when it was last seen
    found["properties"] = [row for row in found["properties"] if row[0] != "owner"]  # each run writes its name
    engine.dispose()
    found["properties"] = [row for row in found["properties"] if row[0] != "owner"]  # each run says who it is
    return found


def test_20_runs_over_the_same_folder_write_and_embed_nothing(archive: Archive) -> None:
    before, files = rows(archive), sorted(generations_folder(archive.data).rglob("*"))
    for _ in range(20):
        report = archive.run()
        assert (report.added, report.changed, report.removed, report.embedded) == ([], [], [], 0)
    assert rows(archive) == before
    assert sorted(generations_folder(archive.data).rglob("*")) == files


def test_of_two_files_with_one_text_each_is_cited_and_goes_alone(archive: Archive) -> None:
    text = archive.texts["ferry.txt"]
    (archive.folder / "copy.txt").write_text(text, encoding="utf-8")
    archive.texts["copy.txt"] = text
    assert archive.run().embedded == 0  # the same words have their vectors already
    assert archive.held() == archive.texts
    archive.delete("ferry")
    archive.run()
    assert archive.held() == archive.texts
    archive.assert_answers({"copy.txt": text})


class FailingEmbedder(WordEmbedder):
    """Fails at a text that holds a certain word."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        if any("ferryv2x9" in text for text in texts):
            raise RuntimeError("out of memory")
        return super().embed(texts)


def test_the_old_version_answers_where_embedding_the_new_one_fails(archive: Archive) -> None:
    before = dict(archive.texts)
    archive.write("ferry", 2)
    archive.write("market", 1)
    with (
        closing(Catalogue(archive.settings.catalogue_url())) as catalogue,
        pytest.raises(RuntimeError, match="out of memory"),
    ):
        synchronise([archive.folder], archive.settings, catalogue, FailingEmbedder())
    assert archive.held() == before
    archive.assert_answers(before)
    archive.run()
    assert archive.held() == archive.texts
    archive.assert_answers(archive.texts)


def test_a_second_run_names_the_first_and_harms_nothing(archive: Archive) -> None:
    archive.write("ferry", 2)
    with lock_data_folder(archive.data):
        for _ in range(50):
            begin = time.monotonic()
            with pytest.raises(IndexBusyError, match=str(os.getpid())):
                archive.run()
            assert time.monotonic() - begin < 2
    archive.run()
    assert archive.held() == archive.texts
