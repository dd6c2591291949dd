"""Checking answers: what comes first, one person at a time, verdicts that stay, and what becomes of them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.answer.errors import ReviewError
from bot.cli import footnote
from bot.staff.review.queue import QueueFilter, find_item, hand_back, read_queue, take, take_next
from bot.staff.review.verdicts import Assessment, PickedPassage, record_verdict, verdict_rows, verdicts_of
from bot.storage.answers import AnswerRecords, Origin
from bot.storage.audit import audit_entries
from bot.storage.review_items import Reason
from bot.storage.schema import ANSWERS, REVIEW_ITEMS, VERDICTS
from bot.storage.table_lines import table_lines
from index.document import Document, Mark, MarkKind, Span
from index.store.catalogue import Catalogue
from tests.browser.scripted import CHINESE, FERRY
from tests.support.review_items import given, record, refused


@pytest.fixture
def records(database_url: str) -> Iterator[AnswerRecords]:
    with closing(AnswerRecords(database_url, sample=0.0)) as records:
        yield records


def found(records: AnswerRecords, **asked: object) -> list[int]:
    return [int(item.answer_id, 16) for item in read_queue(records.engine, QueueFilter(**asked)).items]


def expire(records: AnswerRecords) -> None:
    with records.engine.begin() as connection:
        connection.execute(REVIEW_ITEMS.update().values(taken_until=datetime.now(UTC) - timedelta(seconds=1)))


def test_what_deserves_a_look_comes_first(records: AnswerRecords) -> None:
    record(records, given(1))
    record(records, given(2, confidence=0.5))
    record(records, given(3), dropped=("It is free.",))
    record(records, given(4), disagreements=1)
    record(records, refused(5, confidence=0.3))
    record(records, refused(6, confidence=0.1))
    record(records, given(7, confidence=0.5))
    records.rate(given(7, confidence=0.5), "anna", "down", reason="wrong")
    assert found(records) == [7, 3, 4, 2, 5]
    assert found(records, state="all") == [7, 3, 4, 2, 5, 6, 1]
    page = read_queue(records.engine, QueueFilter())
    assert page.total == 5
    assert page.items[0].reasons == Reason.DOWN | Reason.LOW_CONFIDENCE
    assert {reason: count for reason, count in page.counts.items() if count} == {
        Reason.DOWN: 1,
        Reason.LOW_CONFIDENCE: 2,
        Reason.DROPPED: 1,
        Reason.CLOSE_REFUSAL: 1,
        Reason.DISAGREEMENT: 1,
    }
    records.rate(given(7, confidence=0.5), "anna", "up")
    assert find_item(records.engine, f"{7:032x}").reasons == Reason.LOW_CONFIDENCE


def test_a_marked_document_is_a_reason(database_url: str) -> None:
    with closing(Catalogue(database_url)) as catalogue, closing(AnswerRecords(database_url, sample=0.0)) as records:
        mark = Mark(MarkKind.PLANTED_INSTRUCTION, Span(0, 3), "Ignore the reader")
        catalogue.stage(Document(FERRY, "Ferry", "The ferry.", "text/plain", "0", marks=(mark,)), [], [], "ferry")
        record(records, given(1))
        assert found(records) == []
        with catalogue.engine.begin() as connection:
            connection.execute(sa.text("UPDATE documents SET live = true"))
        record(records, given(2))
        record(records, given(3, about="船費"))
        assert found(records) == [2]
        assert read_queue(records.engine, QueueFilter()).items[0].reasons == Reason.PLANTED


def test_the_sample_depends_on_nothing_but_chance(database_url: str) -> None:
    with closing(AnswerRecords(database_url, sample=0.25)) as records:
        with records.engine.begin() as connection:
            for number in range(400):
                made = given(number) if number % 2 else refused(number)
                records.record_in(connection, made, Origin("page"))
        sampled = sa.select(ANSWERS.c.kind, ANSWERS.c.draw, REVIEW_ITEMS.c.reasons).join(REVIEW_ITEMS)
        with records.engine.connect() as connection:
            rows = connection.execute(sampled).all()
        assert all((row.draw < 0.25) == bool(Reason(row.reasons) & Reason.SAMPLE) for row in rows)
        assert 60 < sum(row.draw < 0.25 for row in rows) < 140


def test_filters_and_search(records: AnswerRecords) -> None:
    record(records, given(1, "What does a crossing cost on Sundays?"))
    record(records, given(2, "平日成人渡輪船費是多少？", about="船費"))
    record(records, given(3, "When do the new vessels come?", about="when"))
    record(records, refused(4, "Who is the captain of the ferry's crew?"))
    records.rate(given(3), "anna", "down")
    everything = {"state": "all"}
    assert found(records, **everything, kind="refusal") == [4]
    assert found(records, **everything, language="zh_hant") == [2]
    assert found(records, **everything, document=CHINESE) == [2]
    assert found(records, **everything, rating="down") == [3]
    assert found(records, **everything, rating="none") == [4, 2, 1]
    assert found(records, **everything, reason=Reason.DOWN) == [3]
    today = datetime.now(UTC).date()
    assert found(records, **everything, since=today, until=today) == [3, 4, 2, 1]
    assert found(records, **everything, since=today + timedelta(days=2)) == []
    assert found(records, **everything, words="crossings") == [1]
    assert found(records, **everything, words="Captains crew") == [4]
    assert found(records, **everything, words="captain vessels") == []
    assert found(records, **everything, words="HK$8.20") == [1]
    assert found(records, **everything, words="船費") == [2]
    assert found(records, **everything, words="渡轮") == [2]  # in the other script
    assert found(records, **everything, words="船") == [2]
    assert found(records, **everything, words="ferry's") == [4]
    for hostile in ("'); DROP TABLE answers --", '" OR 1', "*", "a AND (", "\\", "🙂", "NEAR(a b)"):
        found(records, **everything, words=hostile)
    assert found(records, **everything, words="…") == [3, 4, 2, 1]


def test_what_is_deleted_is_found_no_more(records: AnswerRecords) -> None:
    record(records, given(1, "A zebra?"))
    record_verdict(records.engine, given(1), Assessment("wrong"), "ben", "f")
    assert records.delete_conversation("c", "anna") == 1
    assert records.delete_older_than(1) == 0
    assert found(records, state="all", words="zebra") == []
    with records.engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(VERDICTS)) == 0
        if records.engine.dialect.name == "sqlite":
            blocks = connection.execute(sa.text("SELECT block FROM review_words_data")).scalars().all()
            assert not any(b"zebra" in block for block in blocks)
        else:
            assert connection.scalar(sa.text("SELECT count(*) FROM review_words")) == 0


def test_answers_from_before_get_their_items(database_url: str) -> None:
    with closing(AnswerRecords(database_url, sample=0.0)) as records:
        record(records, given(1, "A zebra?"), dropped=("x",))
        with records.engine.begin() as connection:
            connection.execute(REVIEW_ITEMS.delete())
    with closing(AnswerRecords(database_url, sample=0.0)) as records:
        assert found(records, words="zebra") == [1]


def test_one_person_at_a_time(records: AnswerRecords) -> None:
    first = record(records, given(1, confidence=0.5))
    second = record(records, given(2, confidence=0.5))
    assert take_next(records.engine, QueueFilter(), "anna") == second
    assert take_next(records.engine, QueueFilter(), "anna") == second  # her own first
    assert take_next(records.engine, QueueFilter(), "ben") == first
    assert take_next(records.engine, QueueFilter(), "eva") is None
    with pytest.raises(ReviewError, match="anna works on this answer"):
        take(records.engine, second, "ben")
    with pytest.raises(ReviewError, match="anna works on this answer"):
        record_verdict(records.engine, given(2), Assessment("right"), "ben", "f")
    assert found(records, state="taken", assignee="anna") == [2]
    hand_back(records.engine, second, "ben")
    assert find_item(records.engine, second).assignee == "anna"
    hand_back(records.engine, second, "anna")
    take(records.engine, second, "eva")
    expire(records)
    assert find_item(records.engine, second).assignee == ""
    take(records.engine, second, "ben")
    with records.engine.connect() as connection:
        done = [(entry.actor, entry.action) for entry in audit_entries(connection, action="review.")]
    assert done[0] == ("ben", "review.take")
    assert ("anna", "review.hand_back") in done
    with pytest.raises(ReviewError, match="no longer on record"):
        take(records.engine, "none", "ben")


def test_verdicts_are_only_added_and_may_differ(records: AnswerRecords) -> None:
    answer_id = record(records, given(1, confidence=0.5))
    passage = PickedPassage(FERRY, Span(3, 9), "rbour ")
    assessment = Assessment("incomplete", {1: "supports", 2: "wrong_place"}, (passage,), "Half fares are missing.")
    record_verdict(records.engine, given(1), assessment, "anna", "f1")
    (kept,) = verdicts_of(records.engine, answer_id)
    assert (kept.assessment, kept.reviewer, kept.index_fingerprint) == (assessment, "anna", "f1")
    assert found(records) == []
    assert found(records, state="judged") == [1]
    record_verdict(records.engine, given(1), Assessment("right"), "ben", "f1")
    assert found(records) == [1]
    assert Reason.DISPUTED in find_item(records.engine, answer_id).reasons
    record_verdict(records.engine, given(1), Assessment("right"), "eva", "f1")
    item = find_item(records.engine, answer_id)
    assert (item.state, Reason.DISPUTED in item.reasons) == ("judged", False)
    record_verdict(records.engine, given(1), Assessment("right"), "anna", "f2")
    assert [one.reviewer for one in verdicts_of(records.engine, answer_id)] == ["anna", "ben", "eva", "anna"]


@pytest.mark.parametrize(
    ("assessment", "words"),
    [
        (Assessment("should_have_answered"), "no verdict on 'answer'"),
        (Assessment("splendid"), "no verdict on 'answer'"),
        (Assessment("right", {7: "supports"}), "no citation 7"),
        (Assessment("right", comment="x" * 5_000), "longer than 4000"),
    ],
)
def test_a_verdict_suits_its_answer(records: AnswerRecords, assessment: Assessment, words: str) -> None:
    answer_id = record(records, given(1))
    with pytest.raises(ReviewError, match=words):
        record_verdict(records.engine, given(1), assessment, "anna", "f")
    assert verdicts_of(records.engine, answer_id) == ()


def test_twenty_at_work_with_fifty_visitors(records: AnswerRecords) -> None:
    for number in range(60):
        record(records, given(number, confidence=0.5))

    def check(name: str) -> list[str]:
        done = []
        while len(done) < 3 and (answer_id := take_next(records.engine, QueueFilter(), name)):
            record_verdict(records.engine, given(int(answer_id, 16)), Assessment("wrong", {1: "does_not"}), name, "f")
            done.append(answer_id)
        return done

    def visit(number: int) -> None:
        record(records, given(number, confidence=0.9), visitor=f"v{number}")
        records.rate(given(number, confidence=0.9), f"v{number}", "up")

    with ThreadPoolExecutor(70) as pool:
        visits = [pool.submit(visit, number) for number in range(1_000, 1_050)]
        checks = {name: pool.submit(check, name) for name in (f"staff{number}" for number in range(20))}
        judged = {name: one.result(200) for name, one in checks.items()}
        for one in visits:
            one.result(200)
    everything = [answer_id for done in judged.values() for answer_id in done]
    assert len(everything) == len(set(everything)) == 60
    with records.engine.connect() as connection:
        kept = {row.answer_id: row.reviewer for row in connection.execute(sa.select(VERDICTS))}
    assert kept == {answer_id: name for name, done in judged.items() for answer_id in done}
    assert read_queue(records.engine, QueueFilter(state="all")).total == 110


def test_verdicts_are_exported(records: AnswerRecords) -> None:
    records.record(given(1, "=HYPERLINK(1)?"), Origin("page", "c", "anna"))
    passage = PickedPassage(FERRY, Span(3, 9), "rbour ")
    record_verdict(
        records.engine, given(1), Assessment("wrong", {2: "partly"}, (passage,), "船費 is wrong"), "anna", "f"
    )
    rows = list(verdict_rows(records.engine))
    assert [(row["verdict"], row["citations"], row["reviewer"]) for row in rows] == [("wrong", {"2": "partly"}, "anna")]
    (line,) = table_lines("jsonl", rows)
    assert json.loads(line) == rows[0]
    (row,) = csv.DictReader(io.StringIO("".join(table_lines("csv", rows)), newline=""))
    assert (row["question"], row["comment"]) == ("'=HYPERLINK(1)?", "船費 is wrong")
    assert json.loads(row["passages"])[0]["start"] == 3


def test_the_command_exports_and_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(AnswerRecords(f"sqlite:///{tmp_path / 'footnote.db'}", sample=0.0)) as records:
        record(records, given(1, confidence=0.5))
        record(records, given(2, confidence=0.5))
        record_verdict(records.engine, given(2), Assessment("right"), "anna", "f")
    target = tmp_path / "verdicts.csv"
    command = ["--data-dir", str(tmp_path)]
    footnote(["review", "export", "--out", str(target), *command], standalone_mode=False)
    assert target.read_text("utf-8-sig").count("\n") == 2
    footnote(["review", "queue", "--json", *command], standalone_mode=False)
    assert json.loads(capsys.readouterr().out) == {"waiting": 1, "reasons": {"low_confidence": 1}}
