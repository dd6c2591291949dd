"""The database behind an index: the same on SQLite and on PostgreSQL."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import sqlalchemy as sa

from bot.storage.answers import AnswerRecords
from index.document import Chunk, Document, Page, Span
from index.errors import DatabaseUnavailableError, IndexingError
from index.store.catalogue import Catalogue, Publication
from index.store.files import FileOutcome
from tests.support.postgresql_server import PostgresqlServer

TEXT = "The first ferry 🚢 leaves 梅窩 at 5:55.\nTickets cost HK$17.8 %s \\N."


@pytest.fixture
def catalogue(database_url: str) -> Iterator[Catalogue]:
    with closing(Catalogue(database_url)) as opened:
        yield opened


def document(name: str, text: str = TEXT) -> Document:
    return Document(name, f"Title of {name}", text, "text/plain", "0" * 64, (Page(1, Span(0, 20)),))


def chunks_of(document: Document, size: int = 20) -> list[Chunk]:
    starts = range(0, len(document.text), size)
    spans = [Span(start, min(start + size, len(document.text))) for start in starts]
    return [
        Chunk(
            document.content_hash()[:24] + f"{place:08x}",
            document.document_id,
            place,
            span,
            span.of(document.text),
            document.title,
            (span,),
        )
        for place, span in enumerate(spans)
    ]


def stage(catalogue: Catalogue, one: Document) -> list[Chunk]:
    chunks = chunks_of(one)
    keys = [f"{chunk.chunk_id:0>64}" for chunk in chunks]
    missing = catalogue.missing_vectors(keys)
    catalogue.add_vectors({key: np.full(3, len(key), dtype=np.float32) for key in missing})
    catalogue.stage(one, chunks, keys, one.document_id)
    return chunks


def publish(catalogue: Catalogue, generation: str, *replaced: str) -> None:
    catalogue.publish(Publication(generation, f"fingerprint {generation}", replaced, "pipeline", "model"))


def test_what_is_published_is_read_back_to_the_letter(catalogue: Catalogue) -> None:
    one = document("a/ferry.txt")
    chunks = stage(catalogue, one)
    assert catalogue.summaries() == []  # staged is not live
    assert catalogue.staged_ids() == {"a/ferry.txt"}
    publish(catalogue, "000001")
    assert catalogue.document("a/ferry.txt") == one
    assert catalogue.chunks_of("a/ferry.txt") == chunks
    assert catalogue.chunks([chunk.chunk_id for chunk in chunks]) == {chunk.chunk_id: chunk for chunk in chunks}
    assert catalogue.count_chunks() == len(chunks)
    (summary,) = catalogue.summaries()
    assert summary.characters == len(TEXT)
    assert datetime.now(UTC) - summary.indexed_at < timedelta(minutes=5)
    assert catalogue.property("generation") == "000001"
    stored = catalogue.vectors([chunk.chunk_id for chunk in chunks])
    assert all(vector.dtype == np.float32 and vector.tolist() == [64.0] * 3 for vector in stored.values())


def test_a_new_version_replaces_the_old_one_in_one_step(catalogue: Catalogue) -> None:
    for name in ("é.txt", "Z.txt", "a.txt"):
        stage(catalogue, document(name))
    publish(catalogue, "000001")
    assert [one.document_id for one in catalogue.summaries()] == ["Z.txt", "a.txt", "é.txt"]
    stage(catalogue, document("a.txt", "Other words."))
    pages = list(catalogue.chunk_sets.future({"a.txt", "Z.txt"}).pages())
    assert sorted({chunk.document_id for page in pages for chunk, _ in page}) == ["a.txt", "é.txt"]
    assert {chunk.text for page in pages for chunk, _ in page if chunk.document_id == "a.txt"} == {"Other words."}
    live = [chunk for page in catalogue.chunk_sets.live().pages() for chunk, _ in page]
    assert "Other words." not in {chunk.text for chunk in live}
    assert [chunk.chunk_id for chunk in live] == sorted(chunk.chunk_id for chunk in live)
    publish(catalogue, "000002", "a.txt", "Z.txt")
    catalogue.sweep()
    assert [one.document_id for one in catalogue.summaries()] == ["a.txt", "é.txt"]
    assert catalogue.missing_vectors([f"{chunk.chunk_id:0>64}" for chunk in live]) == {
        f"{chunk.chunk_id:0>64}" for chunk in live if chunk.document_id != "é.txt"
    }


def test_what_a_run_staged_and_did_not_publish_is_forgotten_but_its_vectors(catalogue: Catalogue) -> None:
    chunks = stage(catalogue, document("a.txt"))
    catalogue.discard_staged()
    publish(catalogue, "000001")
    assert catalogue.summaries() == []
    assert catalogue.missing_vectors([f"{chunk.chunk_id:0>64}" for chunk in chunks]) == set()


def test_files_and_where_documents_come_from_are_remembered(catalogue: Catalogue) -> None:
    stage(catalogue, document("a.txt"))
    publish(catalogue, "000001")
    catalogue.files.write({f"file {number}": FileOutcome("indexed", file_hash="hash") for number in range(1_200)})
    catalogue.files.write({"file 7": FileOutcome("indexed", file_hash="other")})
    catalogue.files.keep_only({"file 7"})
    catalogue.move_documents({"a.txt": "file 7"})
    assert catalogue.files.last_outcomes() == {"file 7": FileOutcome("indexed", file_hash="other")}
    assert catalogue.summaries()[0].source == "file 7"


def test_many_rows_go_in_and_come_out(catalogue: Catalogue) -> None:
    one = document("long.txt", "0123456789" * 2_400)
    chunks = stage(catalogue, one)
    publish(catalogue, "000001")
    assert len(chunks) == 1_200
    assert catalogue.chunks([chunk.chunk_id for chunk in chunks]).keys() == {chunk.chunk_id for chunk in chunks}
    assert sum(len(page) for page in catalogue.chunk_sets.live().pages()) == 1_200


def test_chunks_are_not_mixed_from_before_and_after_a_document_went(catalogue: Catalogue) -> None:
    stage(catalogue, document("a.txt"))
    publish(catalogue, "000001")
    went: list[None] = []

    @sa.event.listens_for(catalogue.engine, "before_cursor_execute")
    def _publish_between(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "documents.text" in statement and not went:
            went.append(None)
            publish(catalogue, "000002", "a.txt")

    with pytest.raises(IndexingError, match="read again"):
        list(catalogue.chunk_sets.live().pages())
    assert went


def test_a_reader_sees_the_old_state_or_the_new_one(catalogue: Catalogue, database_url: str) -> None:
    stage(catalogue, document("a.txt", "Old."))
    publish(catalogue, "000001")
    stage(catalogue, document("a.txt", "New."))
    engine = sa.create_engine(database_url.replace("postgresql:", "postgresql+psycopg:"))

    def seen() -> tuple[str, str]:
        with closing(Catalogue(database_url)) as reader:
            found = reader.document("a.txt")
            return reader.property("generation"), found.text if found else ""

    states: list[tuple[str, str]] = []

    @sa.event.listens_for(catalogue.engine, "after_cursor_execute")
    def _look(*_: object) -> None:
        states.append(seen())

    publish(catalogue, "000002", "a.txt")
    engine.dispose()
    assert set(states) == {("000001", "Old.")}
    assert len(states) >= 4
    assert seen() == ("000002", "New.")


def test_records_are_kept_in_the_same_database(database_url: str, catalogue: Catalogue) -> None:
    for _ in range(2):
        with closing(AnswerRecords(database_url)) as store:
            assert store.latest() == ()
    assert catalogue.property("index_id")


def test_a_url_without_a_driver_means_the_driver_that_is_installed(postgresql: PostgresqlServer) -> None:
    with closing(Catalogue(postgresql.make_database())) as catalogue:
        assert catalogue.engine.dialect.driver == "psycopg"


@pytest.mark.parametrize("url", ["mysql://root@127.0.0.1/footnote", "nonsense", "postgresql+psycopg2x://x/y"])
def test_an_unknown_kind_of_database_is_named(url: str) -> None:
    with pytest.raises(IndexingError, match="database_url"):
        Catalogue(url)


def test_a_server_that_is_not_there_is_one_line_without_the_password() -> None:
    with pytest.raises(DatabaseUnavailableError, match="database_url") as raised:
        Catalogue("postgresql://footnote:secret@127.0.0.1:9/footnote")
    assert "secret" not in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_lost_connection_is_one_line_and_the_next_call_goes_on(postgresql: PostgresqlServer) -> None:
    with closing(Catalogue(postgresql.make_database())) as catalogue:
        postgresql.stop()
        with pytest.raises(DatabaseUnavailableError, match="does not answer") as raised:
            catalogue.property("generation")
        assert "\n" not in str(raised.value)
        postgresql.start()
        assert catalogue.property("index_id")
        postgresql.end_connections()
        assert catalogue.property("index_id")  # a connection that died in the pool is replaced unseen


def test_a_frozen_server_does_not_hold_a_reader_for_ever(
    postgresql: PostgresqlServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.store.database._SILENT_SECONDS", 0.5)
    monkeypatch.setattr("index.store.database.CONNECT_SECONDS", 2)
    with closing(Catalogue(postgresql.make_database())) as catalogue:
        with postgresql.frozen(), pytest.raises(DatabaseUnavailableError):
            catalogue.property("generation")
        assert catalogue.property("index_id")


def test_a_slow_statement_is_left_alone_while_the_server_lives(
    postgresql: PostgresqlServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.store.database._SILENT_SECONDS", 0.3)
    with closing(Catalogue(postgresql.make_database())) as catalogue, catalogue.engine.connect() as connection:
        begin = time.monotonic()
        assert connection.scalar(sa.text("SELECT 1 FROM pg_sleep(1.5)")) == 1
        assert time.monotonic() - begin >= 1.5
