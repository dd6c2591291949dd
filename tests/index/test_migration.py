"""The tables of a database: made, upgraded, refused."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from index.errors import IndexingError
from index.store.catalogue import Catalogue
from index.store.database import exclusive_transaction, open_engine
from index.store.migration import CATALOGUE, upgrade_catalogue
from index.store.schema import DOCUMENTS, METADATA
from tests.index.test_catalogue import document, publish, stage


def version_1(url: str) -> None:
    """Write a database as Footnote did before it kept revisions."""
    engine = open_engine(url)
    script = (Path(__file__).parent / "schema_1.sql").read_text()
    if engine.dialect.name == "postgresql":
        for theirs, ours in (("(\n\tversion_id INTEGER", "(\n\tversion_id SERIAL"), ("DATETIME", "TIMESTAMPTZ")):
            script = script.replace(theirs, ours)
        script = script.replace("BLOB", "BYTEA").replace("X'", r"'\x")
    with engine.begin() as connection:
        for statement in script.split(";"):
            if statement.strip():
                connection.exec_driver_sql(statement)
    engine.dispose()


def test_the_revisions_end_at_head() -> None:
    assert ScriptDirectory(str(CATALOGUE.versions.parent)).get_heads() == [CATALOGUE.head]


@pytest.mark.parametrize("old", [False, True], ids=["fresh", "upgraded"])
def test_a_fresh_and_an_upgraded_database_are_as_the_code_describes_them(database_url: str, *, old: bool) -> None:
    if old:
        version_1(database_url)
    with closing(Catalogue(database_url)) as catalogue, catalogue.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, METADATA) == []
        assert connection.scalar(sa.text("SELECT version_num FROM alembic_version")) == CATALOGUE.head
        assert bool(catalogue.document("old.txt")) is old
        assert catalogue.property("schema") == ""


def test_an_upgrade_keeps_what_is_there(database_url: str) -> None:
    version_1(database_url)
    with closing(Catalogue(database_url)) as catalogue:
        found = catalogue.document("old.txt")
        assert found is not None
        assert found.text == "Older words, kept."
        assert [chunk.text for chunk in catalogue.chunks_of("old.txt")] == ["Older words, kept."]
        assert catalogue.vectors(["c" * 32])["c" * 32].tolist() == [1.0, 0.0]
        assert catalogue.property("generation") == "000007"
        stage(catalogue, document("new.txt"))  # and what is added gets a number of its own
        publish(catalogue, "000008")
        assert [one.document_id for one in catalogue.summaries()] == ["new.txt", "old.txt"]


def test_many_that_open_an_empty_database_at_once_make_it_once(database_url: str) -> None:
    faults: list[Exception] = []

    def open_it() -> None:
        try:
            with closing(Catalogue(database_url)) as catalogue:
                assert catalogue.property("index_id")
        except Exception as error:  # noqa: BLE001  # a thread's failure must reach the test
            faults.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


def test_a_newer_database_is_refused_in_one_line_and_left_alone(database_url: str) -> None:
    Catalogue(database_url).close()
    engine = open_engine(database_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(IndexingError, match=r"newer Footnote.*9999") as raised:
        Catalogue(database_url)
    assert "\n" not in str(raised.value)
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT version_num FROM alembic_version")) == "9999"
    engine.dispose()


def test_another_programs_tables_are_refused(database_url: str) -> None:
    engine = open_engine(database_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE properties (name VARCHAR(10), value VARCHAR(10))")
    with pytest.raises(IndexingError, match="not Footnote's"):
        Catalogue(database_url)
    engine.dispose()


def test_a_table_that_is_rebuilt_takes_no_rows_with_it(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'footnote.db'}"
    version_1(url)
    engine = open_engine(url)
    with exclusive_transaction(engine) as connection:
        connection.exec_driver_sql("CREATE TABLE copy AS SELECT * FROM documents")
        connection.exec_driver_sql("DROP TABLE documents")
        connection.exec_driver_sql("ALTER TABLE copy RENAME TO documents")
    upgrade_catalogue(engine)
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM chunks")) == 1
        assert connection.scalar(sa.text("PRAGMA foreign_keys")) == 1
        assert connection.scalar(sa.select(sa.func.count()).select_from(DOCUMENTS)) == 1
    engine.dispose()


def test_a_revision_that_fails_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = tmp_path / "footnote.db"
    version_1(f"sqlite:///{database}")

    def fail(*_: object) -> None:
        raise RuntimeError("power cut")

    monkeypatch.setattr("alembic.command.upgrade", fail)
    with pytest.raises(RuntimeError):
        Catalogue(f"sqlite:///{database}")
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("SELECT value FROM properties WHERE name = 'schema'").fetchone() == ("1",)
        assert not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchall()
