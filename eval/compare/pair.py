"""The questions of two runs in pairs, and in what else the runs differ: documents, suites, settings, code, machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from eval.compare.comparison import DocumentChange, DocumentChanges, QuestionKey, ShownReply, Unlike
from eval.report.report import GOOD_VERDICTS, QuestionReport, RunReport


def same_documents(a: RunReport, b: RunReport) -> bool:
    """Return whether the documents are the same: by the hash of each, or of the whole index where there are none."""
    if a.document_hashes and b.document_hashes:
        return a.document_hashes == b.document_hashes
    return a.index_fingerprint == b.index_fingerprint


def document_changes(a: RunReport, b: RunReport) -> DocumentChanges | None:
    """Return which documents are not the same, or None where a report does not say which it had."""
    before, after = a.document_hashes, b.document_hashes
    if not before or not after:
        return None
    return DocumentChanges(
        added=tuple(sorted(after.keys() - before.keys())),
        removed=tuple(sorted(before.keys() - after.keys())),
        changed=tuple(sorted(one for one in before.keys() & after.keys() if before[one] != after[one])),
    )


def kinds_of_change(documents: DocumentChanges) -> dict[str, DocumentChange]:
    """Return what happened to each document that is not the same, by id."""
    kinds: tuple[DocumentChange, ...] = ("added", "removed", "changed")
    return {name: kind for kind in kinds for name in getattr(documents, kind)}


def describe_changes(documents: DocumentChanges | None, most: int = 5) -> str:
    """Return the changes as words, such as `1 changed (law.txt), 2 added (a.txt, b.txt)`."""
    if documents is None:
        return "the fingerprints of their indexes differ"
    parts = []
    for kind in ("changed", "added", "removed"):
        names = getattr(documents, kind)
        if names:
            more = ", …" if len(names) > most else ""
            parts.append(f"{len(names)} {kind} ({', '.join(names[:most])}{more})")
    return ", ".join(parts)


def find_unlike(a: RunReport, b: RunReport) -> tuple[Unlike, ...]:
    """Return every key whose value differs."""
    return tuple(
        Unlike(key=key, a=before.get(key), b=after.get(key))
        for before, after in zip(_parts(a), _parts(b), strict=True)
        for key in sorted(before.keys() | after.keys())
        if before.get(key) != after.get(key)
    )


def _parts(report: RunReport) -> Iterator[Mapping[str, Any]]:
    yield {f"suite {suite.name}": suite.hash for suite in report.suites}
    yield {f"settings.{name}": value for name, value in report.settings.items()}
    yield _provenance(report)
    yield {"index_fingerprint": report.index_fingerprint, "repeats": report.repeats}
    origin = report.origin
    yield {"code.commit": origin.commit, "code.uncommitted changes": origin.dirty}
    yield {f"version of {name}": version for name, version in origin.versions.items()}
    yield {"machine": f"{origin.platform}, {origin.processors} processors"}


def _provenance(report: RunReport) -> dict[str, str]:
    """Return what the answers say they were made with; several values where they were not made alike."""
    made = [question.answer.provenance for question in report.questions if question.answer]
    names = ("prompts_hash", "version", "embedding_model", "answerer", "language_model")
    found = {name: sorted({str(value) for one in made if (value := getattr(one, name)) is not None}) for name in names}
    return {name: " and ".join(values) for name, values in found.items() if values}


@dataclass(frozen=True, slots=True)
class Side:
    """The results of one run for a question, one for each time it was asked."""

    asked: tuple[QuestionReport, ...]

    @property
    def answered(self) -> tuple[QuestionReport, ...]:
        """The times that did not crash."""
        return tuple(one for one in self.asked if one.verdict != "crashed")

    def typical(self) -> QuestionReport:
        """Return the first answer with the verdict that most of the answers have.

        A question that was asked several times went well when more than half of its answers did. One that always
        crashed has no answer: its first crash is returned.
        """
        answered = self.answered or self.asked
        went_well = 2 * sum(one.verdict in GOOD_VERDICTS for one in answered) > len(answered)
        most = [one for one in answered if (one.verdict in GOOD_VERDICTS) == went_well]
        (verdict, _), *_ = Counter(one.verdict for one in most).most_common(1)
        return next(one for one in most if one.verdict == verdict)

    def shown(self) -> ShownReply:
        """Return the reply that a comparison shows for this side."""
        one = self.typical()
        text = one.answer.text if one.answer else (one.crash or "").strip().rpartition("\n")[2]
        return ShownReply(verdict=one.verdict, text=text, why=one.why)


@dataclass(frozen=True, slots=True)
class QuestionPair:
    """One question in both runs."""

    key: QuestionKey
    a: Side
    b: Side

    @property
    def question(self) -> str:
        """The question as B asked it."""
        return self.b.asked[0].golden.question

    @property
    def cluster(self) -> tuple[str, str]:
        """What it depends on: the turns of a dialogue depend on each other."""
        dialogue = self.b.asked[0].golden.dialogue
        return (self.key.suite, f"dialogue {dialogue}" if dialogue else f"question {self.key.id}")

    def is_reworded(self) -> bool:
        """Return whether the suite asks it or marks it otherwise in B. Tags mark nothing."""
        # A turn of a dialogue is recorded with the answers that the chatbot gave before it, which are not the suite's.
        left_out = {"tags", "history"} if self.b.asked[0].golden.dialogue else {"tags"}
        a, b = (side.asked[0].golden.model_dump(exclude=left_out) for side in (self.a, self.b))
        return a != b


@dataclass(frozen=True, slots=True)
class Pairing:
    """The questions of two runs.

    Attributes:
        pairs: Answered at least once in both runs, in the order of B.
        crashed: In both runs, but in one of them every time a crash.
        only_in_a: Asked in A alone.
        only_in_b: Asked in B alone.
    """

    pairs: tuple[QuestionPair, ...]
    crashed: tuple[QuestionPair, ...]
    only_in_a: tuple[QuestionKey, ...]
    only_in_b: tuple[QuestionKey, ...]


def pair_questions(a: RunReport, b: RunReport) -> Pairing:
    """Return the questions of two runs, paired."""
    sides_a, sides_b = _sides(a.questions), _sides(b.questions)
    both = [QuestionPair(key, sides_a[key], sides_b[key]) for key in sides_b if key in sides_a]
    return Pairing(
        pairs=tuple(pair for pair in both if pair.a.answered and pair.b.answered),
        crashed=tuple(pair for pair in both if not (pair.a.answered and pair.b.answered)),
        only_in_a=tuple(key for key in sides_a if key not in sides_b),
        only_in_b=tuple(key for key in sides_b if key not in sides_a),
    )


def crashed_in(report: RunReport) -> tuple[QuestionKey, ...]:
    """Return the questions of a run that crashed each time they were asked."""
    return tuple(key for key, side in _sides(report.questions).items() if not side.answered)


def _sides(questions: Iterable[QuestionReport]) -> dict[QuestionKey, Side]:
    asked: dict[QuestionKey, list[QuestionReport]] = {}
    for question in questions:
        asked.setdefault(QuestionKey(suite=question.suite_name, id=question.golden.id), []).append(question)
    return {key: Side(tuple(sorted(some, key=lambda one: one.repeat))) for key, some in asked.items()}
