"""Golden questions from verdicts: proposed by one person and, where settings ask for it, confirmed by another."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import regex
import sqlalchemy as sa
from sqlalchemy.engine import Engine, Row

from bot.answer.errors import ReviewError
from bot.settings import Settings
from bot.staff.review.verdicts import Assessment
from bot.storage.answers import RecordedAnswer
from bot.storage.audit import audit
from bot.storage.schema import GOLDEN_PROPOSALS
from bot.storage.suite_file import append_question

ProposalState = Literal["proposed", "confirmed", "declined"]

TAG = "staff"
_UNANSWERABLE = "should_have_refused"
_SHORT_ID = 40

_COLUMNS = GOLDEN_PROPOSALS.c


@dataclass(frozen=True, slots=True)
class Proposal:
    """A golden question and its state.

    Attributes:
        entry: As it is, or will be, in the suite.
        suite: The file.
    """

    id: int
    answer_id: str
    entry: Mapping[str, Any]
    suite: str
    state: ProposalState
    proposed_by: str
    proposed_at: datetime
    decided_by: str
    decided_at: datetime | None


def suite_of(settings: Settings) -> Path:
    """Return the suite that golden questions of staff are added to."""
    return settings.golden_suite or settings.data_dir / "suites" / "staff.yaml"


def golden_entry(
    recorded: RecordedAnswer, assessment: Assessment, expect: Sequence[Sequence[str]] = ()
) -> dict[str, Any]:
    """Return a verdict as an entry of a golden suite.

    Its evidence is what was picked in the documents, else the citations that were found to support the answer.

    Args:
        recorded: What was asked and answered.
        assessment: What was found.
        expect: Groups of phrases; a right answer has one of each group.

    Raises:
        ReviewError: The verdict does not say where the answer stands.
    """
    answer = recorded.answer
    rightly_refused = answer.kind == "refusal" and assessment.verdict == "right"
    answerable = assessment.verdict != _UNANSWERABLE and not rightly_refused
    supporting = [one for one in answer.citations if assessment.citations.get(one.number) == "supports"]
    picked = [(one.document_id, one.quote) for one in assessment.passages or supporting]
    if answerable and not picked:
        raise ReviewError(
            "Nothing says where the answer stands: find that a citation supports it, or pick the right passage, "
            "and save your verdict again."
        )
    entry: dict[str, Any] = {"id": _name(answer.question, answer.id), "question": answer.question}
    history = [turn.model_dump() for turn in recorded.history if turn.content.strip()]
    if history:
        entry["history"] = history
    entry["answerable"] = answerable
    if answerable:
        if expect:
            entry["expect"] = [list(group) for group in expect]
        entry["evidence"] = [
            {"any_of": [{"document_id": document_id, "quote": quote}]} for document_id, quote in dict.fromkeys(picked)
        ]
    entry["tags"] = [TAG]
    return entry


def read_expected(text: str) -> list[list[str]]:
    """Return the groups of phrases in a line: groups separated by `;`, the phrases of each by `|`."""
    groups = ([phrase.strip() for phrase in group.split("|") if phrase.strip()] for group in text.split(";"))
    return [group for group in groups if group]


def propose_question(
    engine: Engine, answer_id: str, entry: Mapping[str, Any], suite: Path, by: str, *, second: bool
) -> int:
    """Propose a golden question and return its number; without a second person it goes into the suite at once.

    Raises:
        ReviewError: There is one from this answer already, or the suite cannot be written.
    """
    now = datetime.now(UTC)
    with engine.begin() as connection:
        inserted = connection.execute(
            GOLDEN_PROPOSALS.insert().values(
                answer_id=answer_id,
                entry=json.dumps(entry, ensure_ascii=False),
                suite=str(suite),
                state="proposed" if second else "confirmed",
                proposed_by=by,
                proposed_at=now,
                decided_by="" if second else by,
                decided_at=None if second else now,
            )
        ).inserted_primary_key
        assert inserted is not None
        other = sa.select(_COLUMNS.id).where(
            _COLUMNS.answer_id == answer_id, _COLUMNS.state != "declined", _COLUMNS.id != inserted[0]
        )
        if connection.scalar(other) is not None:
            raise ReviewError("There is a golden question from this answer already: see the list of golden questions.")
        audit(connection, by, "golden.propose", entry["id"], after={"answer": answer_id, "suite": str(suite)})
        if not second:
            audit(connection, by, "golden.confirm", entry["id"], after={"suite": str(suite)})
            append_question(suite, entry)
    return int(inserted[0])


def confirm_proposal(engine: Engine, proposal_id: int, by: str) -> None:
    """Put a proposed question into its suite.

    Raises:
        ReviewError: It is not proposed any more, this person proposed it, or the suite cannot be written.
    """
    with engine.begin() as connection:
        proposal = _decide(connection, proposal_id, by, "confirmed", _COLUMNS.proposed_by != by)
        audit(connection, by, "golden.confirm", proposal.entry["id"], after={"suite": proposal.suite})
        append_question(Path(proposal.suite), proposal.entry)


def decline_proposal(engine: Engine, proposal_id: int, by: str) -> None:
    """Leave a proposed question out.

    Raises:
        ReviewError: It is not proposed any more.
    """
    with engine.begin() as connection:
        proposal = _decide(connection, proposal_id, by, "declined")
        audit(connection, by, "golden.decline", proposal.entry["id"])


def proposals(engine: Engine, *, answer_id: str = "", limit: int = 200) -> tuple[Proposal, ...]:
    """Return golden questions, those that wait first, then the newest; all of them or those from one answer."""
    listed = sa.select(GOLDEN_PROPOSALS).order_by(_COLUMNS.state != "proposed", _COLUMNS.id.desc()).limit(limit)
    with engine.connect() as connection:
        rows = connection.execute(listed.where(_COLUMNS.answer_id == answer_id) if answer_id else listed)
        return tuple(map(_to_proposal, rows))


def _decide(
    connection: sa.Connection, proposal_id: int, by: str, state: ProposalState, *also: sa.ColumnElement[bool]
) -> Proposal:
    this = _COLUMNS.id == proposal_id
    waiting = GOLDEN_PROPOSALS.update().where(this, _COLUMNS.state == "proposed", *also)
    done = connection.execute(waiting.values(state=state, decided_by=by, decided_at=datetime.now(UTC))).rowcount
    row = connection.execute(sa.select(GOLDEN_PROPOSALS).where(this)).one_or_none()
    if row is None:
        raise ReviewError("This golden question is no longer there: go back to the list.")
    if not done and row.state == "proposed":
        raise ReviewError("You proposed this question yourself: another person confirms it.")
    if not done:
        raise ReviewError(f"{row.decided_by} has {row.state} this question already.")
    return _to_proposal(row)


def _name(question: str, answer_id: str) -> str:
    """Return an id that a person recognises: the first words of the question, and what tells it from others."""
    words = "-".join(regex.findall(r"[\p{L}\p{N}]+", question.casefold()))[:_SHORT_ID].strip("-")
    return f"{words}-{answer_id[:8]}"


def _to_proposal(row: Row[tuple[object, ...]]) -> Proposal:
    return Proposal(**{**row._mapping, "entry": json.loads(row.entry)})
