"""Adds a question to a suite file that people write by hand: all that is there stays, letter by letter.

Golden questions from verdicts: proposed by one person and, where that is wanted, confirmed by another.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import regex
import sqlalchemy as sa
import yaml
from filelock import FileLock
from sqlalchemy.engine import Engine, Row

from bot.answer.errors import ReviewError
from bot.staff.review.verdicts import Judgement
from bot.storage.answers import RecordedAnswer
from bot.storage.audit import audit
from bot.storage.schema import GOLDEN_PROPOSALS
from index.store.atomic_file import write_file

_LOCK_SECONDS = 10
_HEAD = "# Golden questions from the staff's verdicts.\n"


def append_question(path: Path, entry: Mapping[str, Any]) -> None:
    """Add a question at the end of a `.yaml`, `.yml` or `.jsonl` suite, which is made if it is not there.

    A question that stands there already, just so, is not added twice.

    Raises:
        ReviewError: The file cannot be read, changed or written, or has another question with this id.
    """
    if path.suffix.lower() not in (".yaml", ".yml", ".jsonl"):
        raise ReviewError(f"Questions cannot be added to {str(path)!r}: name a .yaml or .jsonl file as golden_suite.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{path}.lock", timeout=_LOCK_SECONDS):
            _append(path, dict(entry))
    except OSError as error:
        raise ReviewError(f"The suite {str(path)!r} cannot be written ({error.strerror or error}).") from error


def _append(path: Path, entry: dict[str, Any]) -> None:
    before = path.read_bytes() if path.exists() else b""
    text = _decode(path, before)
    known = _entries(path, text)
    for one in known:
        if isinstance(one, dict) and one.get("id") == entry["id"]:
            if one == entry:
                return
            raise ReviewError(f"The suite {str(path)!r} has a question {entry['id']!r} already: change that one there.")
    after = _with_entry(path, text, entry)
    if not _holds(path, after, [*known, entry]):
        raise ReviewError(
            f"The suite {str(path)!r} is not written as a list with each question on lines of its own: "
            "add this one in a text editor."
        )
    ending = "\r\n" if b"\r\n" in before else "\n"
    mark = b"\xef\xbb\xbf" if before.startswith(b"\xef\xbb\xbf") else b""
    write_file(path, mark + after.replace("\n", ending).encode())


def _decode(path: Path, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise ReviewError(f"The suite {str(path)!r} is not UTF-8: save it as UTF-8.") from error


def _entries(path: Path, text: str) -> list[Any]:
    try:
        if path.suffix.lower() == ".jsonl":
            lines = (line for line in text.split("\n") if line.strip() and not line.startswith("#"))
            return [json.loads(line) for line in lines]
        found = yaml.safe_load(text)
    except (ValueError, yaml.YAMLError) as error:
        reason = str(error).splitlines()[0]
        raise ReviewError(f"The suite {str(path)!r} cannot be read ({reason}): correct it first.") from error
    if found is None:
        return []
    if not isinstance(found, list):
        raise ReviewError(f"The suite {str(path)!r} is no list of questions: correct it first.")
    return found


def _holds(path: Path, text: str, entries: list[Any]) -> bool:
    try:
        return _entries(path, text) == entries
    except ReviewError:
        return False


def _with_entry(path: Path, text: str, entry: dict[str, Any]) -> str:
    if path.suffix.lower() == ".jsonl":
        return _ended(text) + json.dumps(entry, ensure_ascii=False) + "\n"
    written = yaml.safe_dump([entry], allow_unicode=True, sort_keys=False, width=120)
    return (_ended(text) + "\n" if text.strip() else text or _HEAD + "\n") + _indented(written, _indent(text))


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else text + "\n"


def _indent(text: str) -> str:
    """Return the white space before the dashes of the list."""
    for line in text.split("\n"):
        if line.lstrip().startswith("- "):
            return line[: len(line) - len(line.lstrip())]
    return ""


def _indented(text: str, indent: str) -> str:
    return "".join(indent + line if line.strip() else line for line in text.splitlines(keepends=True))


ProposalState = Literal["proposed", "confirmed", "declined"]

TAG = "staff"
_UNANSWERABLE = "should_have_refused"
_SHORT_ID = 40

_COLUMNS = GOLDEN_PROPOSALS.c


@dataclass(frozen=True, slots=True)
class Proposal:
    """A golden question and how far it is.

    Attributes:
        entry: As it stands, or will stand, in the suite.
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


def golden_entry(
    recorded: RecordedAnswer, judgement: Judgement, expect: Sequence[Sequence[str]] = ()
) -> dict[str, Any]:
    """Return the entry of a golden suite that a verdict comes to.

    Its evidence is what was picked in the documents, else the citations that were found to support the answer.

    Args:
        recorded: What was asked and answered.
        judgement: What was found.
        expect: Groups of phrases, one of each of which a right answer has.

    Raises:
        ReviewError: The verdict does not say where the answer stands.
    """
    answer = recorded.answer
    rightly_refused = answer.kind == "refusal" and judgement.verdict == "right"
    answerable = judgement.verdict != _UNANSWERABLE and not rightly_refused
    supporting = [one for one in answer.citations if judgement.citations.get(one.number) == "supports"]
    picked = [(one.document_id, one.quote) for one in judgement.passages or supporting]
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


def propose(engine: Engine, answer_id: str, entry: Mapping[str, Any], suite: Path, by: str, *, second: bool) -> int:
    """Put a golden question forward and return its number; without a second person it goes into the suite at once.

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


def confirm(engine: Engine, proposal_id: int, by: str) -> None:
    """Put a proposed question into its suite.

    Raises:
        ReviewError: It is not proposed any more, this person proposed it, or the suite cannot be written.
    """
    with engine.begin() as connection:
        proposal = _decide(connection, proposal_id, by, "confirmed", _COLUMNS.proposed_by != by)
        audit(connection, by, "golden.confirm", proposal.entry["id"], after={"suite": proposal.suite})
        append_question(Path(proposal.suite), proposal.entry)


def decline(engine: Engine, proposal_id: int, by: str) -> None:
    """Leave a proposed question out.

    Raises:
        ReviewError: It is not proposed any more.
    """
    with engine.begin() as connection:
        proposal = _decide(connection, proposal_id, by, "declined")
        audit(connection, by, "golden.decline", proposal.entry["id"])


def proposals(engine: Engine, *, answer_id: str = "", limit: int = 200) -> tuple[Proposal, ...]:
    """Return golden questions, those that wait first and then the newest; all of them or those from one answer."""
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
    return Proposal(
        id=row.id,
        answer_id=row.answer_id,
        entry=json.loads(row.entry),
        suite=row.suite,
        state=row.state,
        proposed_by=row.proposed_by,
        proposed_at=row.proposed_at,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
    )
