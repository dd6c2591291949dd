"""What answers depend on, so that answers of one version are never taken for those of another.

An answer as a benchmark keeps it: all that any measure looks at, so that nothing has to be asked again.

The file of answers: one line each, written as soon as it is there, so that a run that was killed goes on.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import IO, Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from bot.answer.answer import Answer, Citation, RetrievedEntry, SearchResult
from bot.settings import Settings
from eval.benchmarks.dataset import Query
from eval.errors import EvaluationError
from eval.measures.answered import TextOf
from index.document import hash_text

Measured = Mapping[str, Any]

# Settings that say where things are, or who may use them, and change no answer.
_NO_PART_OF_IT = frozenset({"data_dir", "database_url", "documents", "host", "port"})
_SECRETS = ("_key", "_password", "_secret")
# Rooms of the chatbot that no question of a benchmark walks through.
_NOT_ON_THE_PATH = frozenset({"web", "cli", "__pycache__"})


def describe_chatbot(settings: Settings, embedding_model: str) -> dict[str, Any]:
    """Return what the chatbot's answers depend on besides the documents and the question.

    The version alone does not change while somebody works on the code, so the code itself is hashed.
    """
    chosen = settings.model_dump(mode="json", exclude=set(_NO_PART_OF_IT))
    return {
        "answerer": settings.answerer,
        "version": version("footnote-chat"),
        "code": hash_files(files("bot"), files("index")),
        "prompts": hash_files(files("prompts")),
        "calibration": hash_files(files("bot.stages.judgement").joinpath("calibration.json")),
        "embedding_model": embedding_model,
        "settings": {name: value for name, value in chosen.items() if not name.endswith(_SECRETS)},
    }


def fingerprint(measured: Measured) -> str:
    """Return a hash of what is measured."""
    return hashlib.sha256(json.dumps(measured, sort_keys=True).encode()).hexdigest()[:12]


def hash_corpus(path: Path) -> str:
    """Return a hash of a corpus file.

    Raises:
        EvaluationError: It cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:16]
    except OSError as error:
        raise EvaluationError(f"The corpus {str(path)!r} cannot be read ({error.strerror}).") from error


def hash_files(*roots: Traversable) -> str:
    """Return a hash of the names and contents of files, those of folders included."""
    digest = hashlib.sha256()
    for name, file in sorted((pair for root in roots for pair in _files(root, root.name)), key=lambda pair: pair[0]):
        content = file.read_bytes()
        digest.update(f"{name}:{len(content)}:".encode())
        digest.update(content)
    return digest.hexdigest()[:16]


def _files(place: Traversable, name: str) -> Iterator[tuple[str, Traversable]]:
    if place.is_file():
        yield name, place
        return
    for entry in place.iterdir():
        if entry.name not in _NOT_ON_THE_PATH:
            yield from _files(entry, f"{name}/{entry.name}")


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class StoredCitation(_Frozen):
    """A footnote, and what the index held at its place when it was shown.

    Attributes:
        stored: Stored text at `start:end`, or None when there was no such document.
    """

    document_id: str
    start: int
    end: int
    quote: str
    stored: str | None


class StoredAnswer(_Frozen):
    """What became of one question. Unlike an `Answer` it may lack footnotes and confidence: a baseline has neither.

    Attributes:
        id: The question's id.
        asked: Hash of the question with its history and passages, so that a question that changes is asked again.
        kind: As in `Answer`; `search` when nothing was to be answered; `crash` when an unexpected exception ended it.
        text: The answer with its markers, the message of a refusal, the question that was searched for, or the
            traceback of a crash.
        reason: Why it was refused.
        nearest: The passages that a refusal showed.
        retrieved: Document ids of the retrieved chunks, best first, one for each chunk.
        answerer: Who answered, which is not who was asked when a model was down.
    """

    id: str
    asked: str
    kind: Literal["answer", "refusal", "small_talk", "search", "crash"]
    text: str
    reason: str | None = None
    confidence: float | None = None
    citations: tuple[StoredCitation, ...] = ()
    nearest: tuple[StoredCitation, ...] = ()
    retrieved: tuple[str, ...] = ()
    timings_ms: dict[str, float] = {}
    answerer: str = ""
    language_model: str | None = None

    @property
    def refused(self) -> bool:
        """Whether there was no answer. Small talk is not a refusal, nor is a crash."""
        return self.kind == "refusal"


def asked_hash(query: Query) -> str:
    """Return a hash of all that is asked."""
    turns = (f"{turn.role}:{turn.content}" for turn in query.history)
    return hash_text(query.question, *turns, "passages", *query.context_ids)[:12]


def store(query: Query, answer: Answer, text_of: TextOf) -> StoredAnswer:
    """Return what is kept of an answer."""
    return StoredAnswer(
        id=query.query_id,
        asked=asked_hash(query),
        kind=answer.kind,
        text=answer.text,
        reason=answer.refusal.reason if answer.refusal else None,
        confidence=answer.confidence,
        citations=_cited(answer.citations, text_of),
        nearest=_cited(answer.refusal.nearest if answer.refusal else (), text_of),
        retrieved=_ranked(answer.retrieved),
        timings_ms=answer.timings_ms,
        answerer=answer.provenance.answerer,
        language_model=answer.provenance.language_model,
    )


def store_search(query: Query, found: SearchResult) -> StoredAnswer:
    """Return what is kept of a search without an answer."""
    return StoredAnswer(
        id=query.query_id,
        asked=asked_hash(query),
        kind="search",
        text=found.standalone_question,
        retrieved=_ranked(found.retrieved),
        timings_ms=found.timings_ms,
        answerer="search",
    )


def _ranked(retrieved: Sequence[RetrievedEntry]) -> tuple[str, ...]:
    return tuple(entry.document_id for entry in sorted(retrieved, key=lambda entry: entry.rank))


def _cited(citations: Sequence[Citation], text_of: TextOf) -> tuple[StoredCitation, ...]:
    return tuple(
        StoredCitation(
            document_id=citation.document_id,
            start=citation.start,
            end=citation.end,
            quote=citation.quote,
            stored=None if (text := text_of(citation.document_id)) is None else text[citation.start : citation.end],
        )
        for citation in citations
    )


class AnswerFile:
    """Answers of one answerer about one collection. The first line says what was measured.

    Its name holds the fingerprint of that: other code, prompts, parameters, settings or documents get a file of their
    own, and the old one stays beside it, to be compared with or gone back to.
    """

    def __init__(self, path: Path, file: IO[str], answers: dict[str, StoredAnswer]) -> None:
        self.path = path
        self._file = file
        self._answers = answers

    def answer_to(self, query: Query) -> StoredAnswer | None:
        """Return the answer to a question as it is asked now, or None when it has not been asked."""
        found = self._answers.get(query.query_id)
        return found if found and found.asked == asked_hash(query) else None

    def missing(self, queries: Sequence[Query]) -> list[Query]:
        """Return the questions that have not been asked."""
        return [query for query in queries if self.answer_to(query) is None]

    def add(self, answer: StoredAnswer) -> None:
        """Write an answer; when this returns, it outlives the process."""
        self._file.write(answer.model_dump_json() + "\n")
        self._file.flush()
        self._answers[answer.id] = answer


def answers_path(folder: Path, collection: str, measured: Measured) -> Path:
    """Return where the answers of what is measured are kept."""
    return folder / f"{collection}.{measured['answerer']}.{fingerprint(measured)}.jsonl"


@contextmanager
def open_answers(path: Path, measured: Measured) -> Iterator[AnswerFile]:
    """Open a file of answers, made when it is not there, and held against a second run.

    Raises:
        EvaluationError: It cannot be written, is damaged, or another run writes to it.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a+", encoding="utf-8", newline="\n")
    except OSError as error:
        raise EvaluationError(f"{str(path)!r} cannot be written ({error.strerror}): choose another --work.") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise EvaluationError(f"Another run is writing to {str(path)!r}: wait until it ends.") from error
        _cut_torn_line(path)
        if path.stat().st_size == 0:
            file.write(json.dumps({"measured": dict(measured)}, ensure_ascii=False) + "\n")
            file.flush()
        yield AnswerFile(path, file, _read(path))


def _cut_torn_line(path: Path) -> None:
    """Drop a last line that was being written when the run was killed."""
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        with path.open("r+b") as file:
            file.truncate(whole)


def _read(path: Path) -> dict[str, StoredAnswer]:
    answers: dict[str, StoredAnswer] = {}
    with path.open(encoding="utf-8") as file:
        next(file)
        for number, line in enumerate(file, start=2):
            try:
                answer = StoredAnswer.model_validate_json(line)
            except ValidationError as error:
                raise EvaluationError(
                    f"{str(path)!r}, line {number}, is no answer: delete the line, and its question is asked again."
                ) from error
            answers[answer.id] = answer
    return answers
