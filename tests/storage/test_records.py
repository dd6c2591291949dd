"""What is kept of questions and answers: on record, rated, given to its visitor, deleted for good."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from starlette.testclient import TestClient

from bot.answer.trace import Trace
from bot.storage.answers import AnswerRecords, Origin, Retention
from bot.storage.schema import ANSWERS, CITED, METADATA, RECORDS
from bot.web.app import build_app
from bot.web.page.language import visitor_of
from index.document import Span
from index.store.database import open_engine
from tests.browser.scripted import ScriptedChatbot, answer, page_stream, statements_for

GIVEN = answer("a" * 32, "What is the fare?", statements=statements_for("fare"))
ANNA, BEN = Origin("page", "c1", "anna"), Origin("page", "c1", "ben")
TRACE = Trace(
    "What is the fare?",
    "What is the fare?",
    0.4,
    selected=(("ferry.pdf", Span(3, 9)),),
    drafts=("One.", "Two."),
    dropped=("Two.",),
    disagreements=1,
)


@pytest.fixture
def records(database_url: str) -> Iterator[AnswerRecords]:
    with closing(AnswerRecords(database_url)) as records:
        yield records


def test_the_tables_are_as_the_code_describes_them(records: AnswerRecords) -> None:
    assert ScriptDirectory(str(RECORDS.versions.parent)).get_heads() == [RECORDS.head]
    with records.engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_server_default": True,
                "version_table": RECORDS.version_table,
                # Search over words is made by a revision alone, in each database's own way.
                "include_name": lambda name, kind, _: kind != "table" or not name.startswith("review_words"),
            },
        )
        assert compare_metadata(context, METADATA) == []


def test_an_answer_is_kept_once_as_it_was_given(records: AnswerRecords) -> None:
    for origin in (ANNA, BEN):
        records.record(GIVEN, origin, trace=TRACE)
    (kept,) = records.latest()
    assert (kept.answer, kept.origin, kept.rating) == (GIVEN, ANNA, "")
    assert kept.trail == TRACE.to_json()
    assert kept.trail["selected"] == [["ferry.pdf", 3, 9]]
    assert 0 <= kept.draw < 1
    with records.engine.connect() as connection:
        cited = connection.execute(sa.select(CITED)).all()
    assert [(row.number, row.document_id) for row in cited] == [(c.number, c.document_id) for c in GIVEN.citations]


def test_only_the_reader_of_an_answer_rates_it(records: AnswerRecords) -> None:
    records.record(GIVEN, ANNA)
    records.rate(GIVEN, "anna", "down", reason="wrong", comment="older")
    records.rate(GIVEN, "ben", "up")
    (kept,) = records.latest()
    assert (kept.rating, kept.rating_reason, kept.rating_comment) == ("down", "wrong", "older")
    records.rate(GIVEN, "anna", "up")
    assert records.latest()[0].rating == "up"


def test_a_thumb_and_its_reason_are_one_rating_in_either_order(records: AnswerRecords) -> None:
    def said() -> tuple[str, str, str]:
        (kept,) = records.latest()
        return kept.rating, kept.rating_reason, kept.rating_comment

    records.record(GIVEN, ANNA)
    records.rate(GIVEN, "anna", "down")
    assert said() == ("down", "", "")
    records.rate(GIVEN, "anna", "down", reason="wrong", comment="older")
    assert said() == ("down", "wrong", "older")
    records.rate(GIVEN, "anna", "down")
    assert said() == ("down", "wrong", "older")
    records.rate(GIVEN, "anna", "down", comment="much older")
    assert said() == ("down", "", "much older")
    records.rate(GIVEN, "anna", "up")
    assert said() == ("up", "", "")


def test_a_visitor_is_given_and_can_delete_only_what_is_theirs(records: AnswerRecords) -> None:
    other = GIVEN.model_copy(update={"id": "b" * 32})
    records.record(GIVEN, ANNA)
    records.record(other, BEN)
    assert [one.id for one in records.of_visitor("anna")] == [GIVEN.id]
    assert records.of_visitor("") == ()
    assert records.delete_conversation("c1", "anna") == 1
    assert [one.id for one in records.latest()] == [other.id]
    with records.engine.connect() as connection:
        assert set(connection.scalars(sa.select(CITED.c.answer_id))) == {other.id}


def test_what_is_old_is_deleted(records: AnswerRecords) -> None:
    records.record(GIVEN, ANNA)
    with records.engine.begin() as connection:
        old = (
            sa.func.datetime("now", "-31 days")
            if records.engine.dialect.name == "sqlite"
            else sa.text("now() - interval '31 days'")
        )
        connection.execute(ANSWERS.update().values(asked_at=old))
    assert records.delete_older_than(32) == 0
    retention = Retention(records, 30)
    retention.close()
    assert records.latest() == ()


def test_verdicts_from_before_move_in(database_url: str) -> None:
    engine = open_engine(database_url)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TABLE feedback (id INTEGER PRIMARY KEY, created_at TIMESTAMP, answer_id VARCHAR(64), "
            "question TEXT, answer TEXT, verdict VARCHAR(8), reason VARCHAR(16), comment TEXT)"
        )
        insert = sa.text(
            "INSERT INTO feedback VALUES (:id, '2026-11-01 10:00:00', :answer_id, 'Q', :answer, :verdict, NULL, 'so')"
        )
        for number, verdict in ((1, "up"), (2, "down")):
            said = {"id": number, "answer_id": GIVEN.id, "answer": GIVEN.model_dump_json(), "verdict": verdict}
            connection.execute(insert, said)
    engine.dispose()
    with closing(AnswerRecords(database_url)) as records:
        (kept,) = records.latest()
        assert (kept.answer, kept.rating, kept.rating_comment) == (GIVEN, "down", "so")
        assert not sa.inspect(records.engine).has_table("feedback")


def test_what_a_reader_asks_on_the_page_is_on_record_until_they_delete_it(tmp_path: Path) -> None:
    with closing(AnswerRecords(f"sqlite:///{tmp_path / 'footnote.db'}")) as records:
        chatbot = ScriptedChatbot()
        with TestClient(build_app(chatbot, records), base_url="http://bot.example.org") as client:
            assert "httponly" in client.get("/").headers["set-cookie"].lower()
            visitor = visitor_of(dict(client.cookies))
            assert visitor

            async def ask() -> None:
                request = {"turn": "t", "conversation": "c9", "history": [{"role": "user", "content": "Hello"}]}
                async for _ in page_stream(chatbot, records).ask("What does it cost?", request, visitor):
                    pass

            asyncio.run(ask())
            (kept,) = records.latest()
            assert (kept.answer.question, kept.origin) == ("What does it cost?", Origin("page", "c9", visitor))
            assert [turn.content for turn in kept.history] == ["Hello"]
            stranger = {"cookie": "footnote-visitor=another"}
            assert client.delete("/conversation/c9", headers=stranger).status_code == 204
            assert client.delete("/conversation/c9", headers={"origin": "https://evil.example"}).status_code == 403
            assert len(records.latest()) == 1
            assert client.delete("/conversation/c9").status_code == 204
            assert records.latest() == ()


def test_nothing_is_kept_where_nothing_may_be(tmp_path: Path) -> None:
    with closing(AnswerRecords(f"sqlite:///{tmp_path / 'footnote.db'}")) as records:
        chatbot = ScriptedChatbot()
        chatbot.settings = chatbot.settings.model_copy(update={"keep_answers": False})

        async def ask() -> list[dict]:
            return [part async for part in page_stream(chatbot, records).ask("What does it cost?", {"turn": "t"})]

        assert json.dumps(asyncio.run(ask())[-1])
        assert records.latest() == ()
