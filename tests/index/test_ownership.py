"""One run that writes, elected among many: over two machines, over a lost connection, over a dead holder."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from index.errors import DatabaseUnavailableError, IndexBusyError
from index.store.catalogue import Catalogue
from tests.index.test_catalogue import document, publish, stage
from tests.support.postgresql_server import PostgresqlServer

HOLDER = """
import sys
from index.store.catalogue import Catalogue
with Catalogue(sys.argv[1]).elected():
    print("elected", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_run(url: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", HOLDER, url]
    holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "elected\n"
        yield holder
    finally:
        holder.kill()
        holder.wait()


def test_a_second_machine_is_refused_at_once_and_told_by_whom(postgresql: PostgresqlServer) -> None:
    url = postgresql.make_database()
    with closing(Catalogue(url)) as catalogue:
        with another_run(url) as holder:
            for _ in range(20):
                begin = time.monotonic()
                with pytest.raises(IndexBusyError, match=rf"process {holder.pid} on '") as raised, catalogue.elected():
                    pass
                assert time.monotonic() - begin < 2
            assert "\n" not in str(raised.value)
            holder.kill()
            holder.wait()
        _until_elected(catalogue)  # a dead holder holds nothing


def test_an_election_ends_with_the_run(database_url: str) -> None:
    with closing(Catalogue(database_url)) as one, closing(Catalogue(database_url)) as other:
        for catalogue in (one, other, one):
            with catalogue.elected():
                stage(catalogue, document("a.txt"))
                catalogue.discard_staged()


def test_a_run_that_lost_the_database_to_another_cannot_write(
    database_url: str, request: pytest.FixtureRequest
) -> None:
    with closing(Catalogue(database_url)) as one, closing(Catalogue(database_url)) as other:
        with one.elected():
            stage(one, document("a.txt", "Staged by the first."))
            if database_url.startswith("postgresql"):
                request.getfixturevalue("postgresql").end_connections()
            with other.elected():
                other.discard_staged()
                stage(other, document("b.txt", "Staged by the second."))
                for attempt in (
                    lambda: publish(one, "000001"),
                    lambda: stage(one, document("c.txt")),
                    one.discard_staged,
                    one.sweep,
                    lambda: one.move_documents({}),
                ):
                    with pytest.raises(IndexBusyError, match="took over"):
                        attempt()
                publish(other, "000001")
        assert [found.document_id for found in other.summaries()] == ["b.txt"]


def test_a_run_whose_connection_broke_goes_on_where_nobody_took_over(postgresql: PostgresqlServer) -> None:
    with closing(Catalogue(postgresql.make_database())) as catalogue:
        with catalogue.elected():
            stage(catalogue, document("a.txt"))
            postgresql.end_connections()
            publish(catalogue, "000001")
        assert [found.document_id for found in catalogue.summaries()] == ["a.txt"]


def test_an_election_without_a_server_is_one_line(postgresql: PostgresqlServer) -> None:
    with closing(Catalogue(postgresql.make_database())) as catalogue:
        postgresql.stop()
        try:
            with pytest.raises(DatabaseUnavailableError), catalogue.elected():
                pass
        finally:
            postgresql.start()
        with catalogue.elected():
            pass


def _until_elected(catalogue: Catalogue) -> None:
    for _ in range(200):
        try:
            with catalogue.elected():
                return
        except IndexBusyError:
            time.sleep(0.01)  # the server notices a dead connection a moment later
    pytest.fail("a dead run still holds the database")
