"""What the records tell: questions in vain by meaning, weeks, documents, thresholds; their page and the digest."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.answer.answer import Refusal
from bot.chatbot import Chatbot
from bot.cli import footnote
from bot.staff.insights import AskedQuestion, count_weeks, gather, group_questions, questions_since
from bot.staff.review.quality import threshold_effects
from bot.staff.review.verdicts import Assessment, record_verdict
from bot.storage.answers import AnswerRecords, Origin
from bot.storage.review_items import Reason
from index.embedding.sentence_transformer import SentenceTransformerEmbedder
from tests.support.staff_site import StaffSite

NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def asked(question: str, number: int = 0, **values: object) -> AskedQuestion:
    known = {
        "id": str(number), "asked_at": NOW, "kind": "refusal", "reason": "not_in_documents", "confidence": 0.2,
        "draw": 0.0, "rating": "", "verdict": "", "flags": 0, "nearest": ("a.txt",),
    }  # fmt: skip
    return AskedQuestion(question=question, **{**known, **values})


def test_questions_of_one_meaning_are_one_group(embedder: SentenceTransformerEmbedder) -> None:
    parking = ["Where can I park my car?", "Where may cars be parked?", "Is there parking for my car?"]
    questions = [asked(text, number) for number, text in enumerate([*parking, "What does a dog licence cost?"])]
    first, second = group_questions(questions, embedder.embed)
    assert {one.question for one in first.questions} == set(parking)
    assert first.name in parking
    assert first.nearest == ("a.txt",)
    assert len(second.questions) == 1
    assert group_questions([], embedder.embed) == ()


def test_weeks_are_whole_and_none_is_left_out() -> None:
    some = [asked("a"), asked("b", kind="answer", rating="down"), asked("c", asked_at=NOW - timedelta(days=14))]
    weeks = count_weeks(some, date(2026, 11, 4), NOW.date())
    assert [(week.monday.day, week.asked, week.refused, week.rated_down) for week in weeks] == [
        (2, 1, 1, 0), (9, 0, 0, 0), (16, 2, 1, 1),
    ]  # fmt: skip


def test_a_verdict_says_more_than_a_rating() -> None:
    assert not asked("a", kind="answer", rating="down", verdict="right").is_unanswered
    assert asked("a", kind="answer", verdict="wrong").is_unanswered
    assert not asked("a", reason="too_long").is_unanswered


def test_intervals_of_thresholds_cover_the_truth_whatever_is_checked_first() -> None:
    """Flagged answers are worse and all checked, of the others a part; answers outside the sample count for nothing."""
    chance = random.Random(5)
    threshold, covered, runs = 0.5, 0, 2_000

    def draw() -> AskedQuestion:
        flagged = chance.random() < 0.3
        right = chance.random() < (0.5 if flagged else 0.9)
        verdict = "right" if right else "wrong"
        checked = flagged or chance.random() < 0.5
        flags = int(Reason.DOWN if flagged else 0) | Reason.SAMPLE
        return asked(
            "q", kind="answer", confidence=chance.random(), flags=int(flags), verdict=verdict if checked else ""
        )

    truth = 0.5 * (0.3 * 0.5 + 0.7 * 0.1)
    for _ in range(runs):
        judged, (effect,) = threshold_effects([draw() for _ in range(200)], 0.02, (threshold,))
        assert judged
        covered += effect.wrong_shown.low <= truth <= effect.wrong_shown.high
    assert 0.93 <= covered / runs <= 0.98


def test_only_the_random_sample_counts_for_thresholds() -> None:
    chosen = [asked("q", draw=0.9, verdict="should_have_answered")]
    assert threshold_effects(chosen, 0.02) == (0, ())
    _, (low, high) = threshold_effects([asked("q", verdict="should_have_answered")], 0.02, (0.1, 0.5))
    assert (low.right_refused.share, high.right_refused.share) == (0, 1)


@pytest.fixture
def records(database_url: str) -> Iterator[AnswerRecords]:
    with closing(AnswerRecords(database_url, sample=1.0)) as records:
        yield records


def test_what_is_on_record_is_read_on_both_databases(records: AnswerRecords, seed_chatbot: Chatbot) -> None:
    given = seed_chatbot.ask("How much is reserved for the AI research institute?")
    refused = given.model_copy(
        update={
            "id": "r" * 32, "kind": "refusal", "citations": (), "statements": (),
            "refusal": Refusal(reason="not_in_documents", message="No."),
        }
    )  # fmt: skip
    for one in (given, refused):
        records.record(one, Origin("page"))
    record_verdict(records.engine, given, Assessment("wrong"), "mei", "f")
    found = {one.id: one for one in questions_since(records.engine, LONG_AGO)}
    assert found[given.id].verdict == "wrong"
    assert all(one.is_unanswered for one in found.values())
    assert found[given.id].nearest[0] == given.citations[0].document_id


@pytest.fixture
def site(own_seed_data: Path, open_chatbot: Callable[..., Chatbot]) -> Iterator[StaffSite]:
    chatbot = open_chatbot(own_seed_data)
    with closing(AnswerRecords(chatbot.settings.catalogue_url(), 1.0)) as records:
        for question in ("How much is reserved for the AI research institute?", "Who painted the opera ceiling?"):
            records.record(chatbot.ask(question), Origin("page"))
        yield StaffSite(chatbot, records)


def test_the_page_shows_and_exports_what_was_asked_in_vain(site: StaffSite) -> None:
    stefan = site.browser("stefan")
    page = stefan.get("/staff/insights").text
    assert "Who painted the opera ceiling?" in page
    assert 'class="weeks"' in page
    exported = stefan.get("/staff/insights/export/jsonl").text
    assert "Who painted the opera ceiling?" in exported
    assert "AI research institute" not in exported
    assert stefan.get("/staff/insights/export/csv").text.startswith("\ufeffgroup,count")


def test_an_answer_is_approved_from_its_page_and_withdrawn(site: StaffSite) -> None:
    stefan = site.browser("stefan")
    with site.engine.connect() as connection:
        answer_id = connection.exec_driver_sql("SELECT id FROM answers WHERE kind = 'answer'").scalar()
    place = f"/staff/review/{answer_id}"
    assert stefan.send(f"{place}/approve").status_code == 400
    stefan.send(f"{place}/verdict", verdict="right")
    assert 'id="approve"' in stefan.get(place).text
    assert stefan.send(f"{place}/approve", question="How much money does the institute get?").status_code == 303
    assert "approved by a person on" in stefan.get(place).text
    listed = stefan.get("/staff/approved").text
    assert "How much money does the institute get?" in listed
    approved_id = listed.partition("/staff/approved/")[2].partition("/")[0]
    assert stefan.send(f"/staff/approved/{approved_id}/withdraw").status_code == 303
    assert "Withdrawn" in stefan.get("/staff/approved").text


def test_the_digest_is_one_file_without_addresses(seed_data: Path, tmp_path: Path) -> None:
    out = tmp_path / "digest.html"
    done = CliRunner().invoke(footnote, ["review", "digest", "--data-dir", str(seed_data), "--out", str(out)])
    assert done.exit_code == 0, done.output
    page = out.read_text("utf-8")
    assert "What people asked in vain" in page
    assert "<link" not in page
    assert "<script" not in page
    assert "url(" not in page


def test_gathering_over_an_empty_record(
    records: AnswerRecords, database_url: str, embedder: SentenceTransformerEmbedder
) -> None:
    from index.store.catalogue import Catalogue

    Catalogue(database_url).close()
    found = gather(records.engine, embedder.embed, LONG_AGO)
    assert (found.groups, found.questions, dict(found.unused)) == ((), (), {})
