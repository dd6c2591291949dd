"""Golden questions from verdicts: into a suite that people write by hand, confirmed by a second person where wanted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from bot.answer.conversation import Turn
from bot.answer.errors import ReviewError
from bot.staff.review.golden_proposals import (
    confirm_proposal,
    decline_proposal,
    golden_entry,
    proposals,
    propose_question,
    read_expected,
)
from bot.staff.review.verdicts import Assessment, PickedPassage
from bot.storage.answers import AnswerRecords, Origin
from bot.storage.audit import audit_entries
from bot.storage.suite_file import append_question
from eval.suites.suite import load_suite
from index.document import Span
from tests.browser.scripted import BATTERIES, FARE, FERRY
from tests.support.review_items import given, record, refused

WRITTEN = """\
# Questions about the ferry.
- id: fare   # the oldest one
  question: "What does it cost?"
  evidence:
    - any_of: [{document_id: "reports/ferry 2025.pdf", quote: "HK$8.20"}]

# To be thought about:
# - id: pier
"""


@pytest.fixture
def records(tmp_path: Path) -> Iterator[AnswerRecords]:
    with closing(AnswerRecords(f"sqlite:///{tmp_path / 'footnote.db'}", sample=0.0)) as records:
        yield records


def entry(name: str = "new") -> dict[str, object]:
    return {
        "id": name,
        "question": "平日：多少? #1 'x'",
        "answerable": True,
        "evidence": [{"any_of": [{"document_id": FERRY, "quote": FARE + "\nNext: line"}]}],
        "tags": ["staff"],
    }


@pytest.mark.parametrize(
    "before",
    [
        "",
        "# Only a remark\n",
        WRITTEN,
        WRITTEN.rstrip("\n") + "\n  # end",
        WRITTEN.replace("\n", "\r\n"),
        "\ufeff" + WRITTEN,
        "  " + WRITTEN.replace("\n", "\n  "),
    ],
)
def test_a_suite_keeps_what_is_there(tmp_path: Path, before: str) -> None:
    suite = tmp_path / "suites" / "staff.yaml"
    suite.parent.mkdir()
    suite.write_bytes(before.encode())
    known = [one.id for one in load_suite(suite).questions] if "- id: fare" in before else []
    append_question(suite, entry())
    append_question(suite, entry())  # the same one is not added twice
    after = suite.read_bytes().decode()
    assert after.startswith(before)
    assert ("\r\n" in before) == ("\r\n" in after)
    questions = load_suite(suite).questions
    assert [one.id for one in questions] == [*known, "new"]
    assert questions[-1].model_dump(mode="json", exclude_defaults=True) == {
        key: value for key, value in entry().items() if key != "answerable"
    }


def test_a_new_suite_is_made_and_lines_are_added_to_json(tmp_path: Path) -> None:
    append_question(tmp_path / "a" / "b.yaml", entry())
    assert [one.id for one in load_suite(tmp_path / "a" / "b.yaml").questions] == ["new"]
    lines = tmp_path / "c.jsonl"
    lines.write_text("# remark\n" + json.dumps(entry("old")))
    append_question(lines, entry())
    assert [one.id for one in load_suite(lines).questions] == ["old", "new"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[{id: a, question: b}]", "lines of its own"),
        ("a: b\n", "no list"),
        ("- id: 'x\n", "cannot be read"),
        ("- {id: new, question: other}\n", "has a question 'new' already"),
    ],
)
def test_a_suite_that_cannot_be_added_to_is_left_alone(tmp_path: Path, text: str, words: str) -> None:
    suite = tmp_path / "staff.yaml"
    suite.write_text(text)
    with pytest.raises(ReviewError, match=words):
        append_question(suite, entry())
    assert suite.read_text() == text
    with pytest.raises(ReviewError, match=r"name a \.yaml"):
        append_question(tmp_path / "suite.xlsx", entry())


def test_many_add_at_once(tmp_path: Path) -> None:
    suite = tmp_path / "staff.yaml"
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda number: append_question(suite, entry(f"q{number}")), range(40)))
    assert {one.id for one in load_suite(suite).questions} == {f"q{number}" for number in range(40)}
    assert [path.name for path in tmp_path.iterdir() if path.suffix != ".lock"] == ["staff.yaml"]


def test_the_evidence_is_what_the_verdict_says(records: AnswerRecords) -> None:
    records.record(given(1), Origin("page"), [Turn(role="user", content="Hello"), Turn(role="assistant", content=" ")])
    recorded = records.find(f"{1:032x}")
    assert recorded is not None
    with pytest.raises(ReviewError, match="where the answer stands"):
        golden_entry(recorded, Assessment("right", {1: "partly"}))
    made = golden_entry(
        recorded, Assessment("right", {1: "supports", 2: "does_not"}), read_expected("8.20|8.2; 11.50;")
    )
    assert made == {
        "id": "what-is-the-fare-00000000",
        "question": "What is the fare?",
        "history": [{"role": "user", "content": "Hello"}],
        "answerable": True,
        "expect": [["8.20", "8.2"], ["11.50"]],
        "evidence": [{"any_of": [{"document_id": FERRY, "quote": FARE}]}],
        "tags": ["staff"],
    }
    picked = (PickedPassage(FERRY, Span(0, 5), BATTERIES),)
    made = golden_entry(recorded, Assessment("wrong", {1: "supports"}, picked))
    assert made["evidence"] == [{"any_of": [{"document_id": FERRY, "quote": BATTERIES}]}]
    assert golden_entry(recorded, Assessment("should_have_refused"))["answerable"] is False


def test_a_right_refusal_is_a_question_without_an_answer(records: AnswerRecords, tmp_path: Path) -> None:
    answer_id = record(records, refused(2))
    recorded = records.find(answer_id)
    assert recorded is not None
    made = golden_entry(recorded, Assessment("right"))
    suite = tmp_path / "suite.yaml"
    propose_question(records.engine, answer_id, made, suite, "anna", second=False)
    (question,) = load_suite(suite).questions
    assert (question.answerable, question.evidence) == (False, ())
    assert [one.state for one in proposals(records.engine)] == ["confirmed"]
    with pytest.raises(ReviewError, match="from this answer already"):
        propose_question(records.engine, answer_id, made, suite, "ben", second=False)


def test_a_second_person_confirms(records: AnswerRecords, tmp_path: Path) -> None:
    suite = tmp_path / "suite.yaml"
    first = propose_question(records.engine, record(records, given(1)), entry("one"), suite, "anna", second=True)
    second = propose_question(records.engine, record(records, given(2)), entry("two"), suite, "anna", second=True)
    assert not suite.exists()
    with pytest.raises(ReviewError, match="another person"):
        confirm_proposal(records.engine, first, "anna")
    confirm_proposal(records.engine, first, "ben")
    decline_proposal(records.engine, second, "anna")
    with pytest.raises(ReviewError, match="ben has confirmed"):
        decline_proposal(records.engine, first, "eva")
    with pytest.raises(ReviewError, match="no longer there"):
        confirm_proposal(records.engine, 99, "ben")
    assert [one.id for one in load_suite(suite).questions] == ["one"]
    with records.engine.connect() as connection:
        done = [(one.actor, one.action) for one in audit_entries(connection, action="golden.")]
    assert done[:2] == [("anna", "golden.decline"), ("ben", "golden.confirm")]


def test_a_suite_that_cannot_be_written_leaves_the_question_waiting(records: AnswerRecords, tmp_path: Path) -> None:
    suite = tmp_path / "suite.yaml"
    suite.write_text("a: b\n")
    waiting = propose_question(records.engine, record(records, given(1)), entry(), suite, "anna", second=True)
    with pytest.raises(ReviewError, match="no list"):
        confirm_proposal(records.engine, waiting, "ben")
    assert [one.state for one in proposals(records.engine)] == ["proposed"]
