"""What the page shows of one question: its reply, its footnotes, and where golden evidence stands in them.

A report holds quotes, not documents, so places cannot be compared. Words can: a citation equals the stored text, and so
does a golden quote that was checked against the index.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.answer.answer import Answer, Citation, RetrievedEntry
from eval.measures.answered import occurrences
from eval.measures.correctness import count_words, shows, without_markers
from eval.report.change import direction
from eval.report.figures import VERDICTS
from eval.report.report import GOOD_VERDICTS, QuestionReport, Verdict
from eval.suites.golden import EvidenceItem, GoldenQuestion, Quote
from index.document import Span

_SHORTEST_END = 8  # characters: shorter common ends are chance
_MARKER = re.compile(r"\s*\[(\d+)\]")
_NOT_IN_ADDRESS = re.compile(r"[^\w.-]+")


@dataclass(frozen=True, slots=True)
class QuotePart:
    """A part of a quote, and whether it is golden evidence."""

    text: str
    golden: bool


def mark_evidence(citation: Citation, items: Iterable[EvidenceItem]) -> tuple[QuotePart, ...]:
    """Return the quote of a citation in parts, golden evidence told from the rest."""
    spans = [span for item in items for quote in item.any_of for span in _shared(citation, quote)]
    parts, end = [], 0
    for span in sorted(spans, key=lambda span: (span.start, span.end)):
        start = max(span.start, end)
        if start < span.end:
            parts += [(citation.quote[end:start], False), (citation.quote[start : span.end], True)]
            end = span.end
    parts.append((citation.quote[end:], False))
    return tuple(QuotePart(text, golden) for text, golden in parts if text)


def covering(citations: Sequence[Citation], quote: Quote) -> tuple[int, ...]:
    """Return the numbers of the citations that hold at least half of the characters of a golden quote."""
    needed = len(_collapse(quote.quote)[0])

    def length(citation: Citation, span: Span) -> int:
        return len(_collapse(citation.quote[span.start : span.end])[0])

    return tuple(
        one.number for one in citations if any(2 * length(one, span) >= needed for span in _shared(one, quote))
    )


def _shared(citation: Citation, quote: Quote) -> tuple[Span, ...]:
    """Return the places in a cited quote where words of a golden quote stand."""
    if citation.document_id != quote.document_id:
        return ()
    cited, golden = citation.quote, quote.quote
    if whole := occurrences(cited, golden):
        return whole
    if occurrences(golden, cited):
        return (Span(0, len(cited)),)
    return _shared_end(cited, golden)


def _shared_end(cited: str, golden: str) -> tuple[Span, ...]:
    """Return where the cited quote begins in the midst of the golden one, or ends in it."""
    (text, offsets), (wanted, _) = _collapse(cited), _collapse(golden)
    for length in range(min(len(text), len(wanted)) - 1, _SHORTEST_END - 1, -1):
        if text.endswith(wanted[:length]):
            return (Span(offsets[-length], offsets[-1] + 1),)
        if text.startswith(wanted[-length:]):
            return (Span(offsets[0], offsets[length - 1] + 1),)
    return ()


def _collapse(text: str) -> tuple[str, list[int]]:
    """Return text with any white space as one space and none around it, and where each character comes from."""
    kept = [
        (" " if character.isspace() else character, offset)
        for offset, character in enumerate(text)
        if not character.isspace() or (offset and not text[offset - 1].isspace())
    ]
    if kept and kept[-1][0] == " ":
        kept.pop()
    return "".join(character for character, _ in kept), [offset for _, offset in kept]


@dataclass(frozen=True, slots=True)
class Phrases:
    """Phrases that an answer must show one of, or one it must not show, and whether it does."""

    phrases: tuple[str, ...]
    shown: bool


@dataclass(frozen=True, slots=True)
class MarkedCitation:
    """A citation with the golden evidence in its quote marked."""

    citation: Citation
    pieces: tuple[QuotePart, ...]

    @property
    def golden(self) -> bool:
        """Return whether any of the quote is golden evidence."""
        return any(piece.golden for piece in self.pieces)


@dataclass(frozen=True, slots=True)
class GoldenQuote:
    """A quote of an evidence item, and the numbers of the citations that cover it."""

    quote: Quote
    covered_by: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class QuestionView:
    """One question of the page.

    Attributes:
        anchor: Its address on the page, without `#`.
        was: Its verdict in the previous run, or None.
        entry: Address where its suite entry can be changed, or None.
        text: The reply in pieces; a number is a footnote's.
        evidence: For each item, its quotes.
        retrieved: The retrieved chunks, best first, each with the citations that lie in it.
    """

    report: QuestionReport
    anchor: str
    was: Verdict | None
    entry: str | None
    text: tuple[str | int, ...]
    words: int
    expected: tuple[Phrases, ...]
    forbidden: tuple[Phrases, ...]
    footnotes: tuple[MarkedCitation, ...]
    nearest: tuple[MarkedCitation, ...]
    evidence: tuple[tuple[GoldenQuote, ...], ...]
    retrieved: tuple[tuple[RetrievedEntry, tuple[int, ...]], ...]

    @property
    def good(self) -> bool:
        """Return whether the reply is as it should be."""
        return self.report.verdict in GOOD_VERDICTS

    @property
    def turned(self) -> str:
        """Return whether the question became `better` or `worse` since the previous run, or nothing."""
        turn = direction(self.was, self.report.verdict) if self.was else 0
        return {1: "better", -1: "worse"}.get(turn, "")

    @property
    def searched(self) -> str:
        """Return everything a reader may look for, folded as the page folds what is typed."""
        return unicodedata.normalize("NFKC", " ".join(" ".join(_searched(self.report)).split())).lower()

    @property
    def support(self) -> str:
        """Return how the statements stand on their sources, as in `1 quoted, 2 supported`."""
        answer = self.report.answer
        supports = Counter(statement.support for statement in answer.statements) if answer else Counter()
        return ", ".join(f"{number} {support}" for support, number in supports.items())


def view_question(report: QuestionReport, anchor: str, was: Verdict | None, entry: str | None = None) -> QuestionView:
    """Return what the page shows of a question."""
    golden, answer = report.golden, report.answer
    text = without_markers(answer.text) if answer else ""
    citations = answer.citations if answer else ()
    nearest = answer.refusal.nearest if answer and answer.refusal else ()
    return QuestionView(
        report=report,
        anchor=anchor,
        was=was,
        entry=entry,
        text=tuple(_pieces(answer)) if answer else (),
        words=count_words(text),
        expected=tuple(Phrases(group, any(shows(text, one) for one in group)) for group in golden.expect),
        forbidden=tuple(Phrases((phrase,), shows(text, phrase)) for phrase in golden.forbid),
        footnotes=_footnotes(citations, golden),
        nearest=_footnotes(nearest, golden),
        evidence=tuple(
            tuple(GoldenQuote(quote, covering(citations, quote)) for quote in item.any_of) for item in golden.evidence
        ),
        retrieved=tuple(_retrieved(answer)) if answer else (),
    )


def anchors(questions: Sequence[QuestionReport]) -> list[str]:
    """Return an address for each question: `q-` and its id, a number after it where an id comes again."""
    seen: Counter[str] = Counter()
    found = []
    for question in questions:
        wanted = "q-" + (_NOT_IN_ADDRESS.sub("-", question.golden.id).strip("-") or "question")
        seen[wanted] += 1
        # No id can hold a tilde, so a numbered one is never another's.
        found.append(wanted if seen[wanted] == 1 else f"{wanted}~{seen[wanted]}")
    return found


def _footnotes(citations: Sequence[Citation], golden: GoldenQuestion) -> tuple[MarkedCitation, ...]:
    return tuple(MarkedCitation(citation, mark_evidence(citation, golden.evidence)) for citation in citations)


def _pieces(answer: Answer) -> Iterator[str | int]:
    """Yield the text of an answer between its markers, and their numbers; a refusal has no footnotes to mark."""
    numbers = {citation.number for citation in answer.citations}
    for piece in re.split(r"(\s*\[\d+\])", answer.text):
        marker = _MARKER.fullmatch(piece)
        yield int(marker[1]) if marker and int(marker[1]) in numbers else piece


def _retrieved(answer: Answer) -> Iterator[tuple[RetrievedEntry, tuple[int, ...]]]:
    """Yield the retrieved chunks, best first, each with the numbers of the citations that lie in it."""
    for entry in sorted(answer.retrieved, key=lambda entry: entry.rank):
        place = Span(entry.start, entry.end)
        yield (
            entry,
            tuple(
                one.number
                for one in answer.citations
                if one.document_id == entry.document_id and place.overlap(Span(one.start, one.end))
            ),
        )


def _searched(report: QuestionReport) -> Iterator[str]:
    golden, answer = report.golden, report.answer
    yield from (golden.id, golden.question, golden.dialogue or "", VERDICTS[report.verdict], *golden.tags, *report.why)
    yield from (turn.content for turn in golden.history)
    yield from (phrase for group in (*golden.expect, golden.forbid) for phrase in group)
    yield from (quote.quote for item in golden.evidence for quote in item.any_of)
    if report.blame:
        yield from (report.blame.stage, report.blame.why)
    if answer:
        yield from (answer.text, answer.standalone_question)
        yield from (word for citation in answer.citations for word in (citation.title, citation.quote))
    if report.crash:
        yield report.crash


def by_verdict(questions: Sequence[QuestionReport]) -> Mapping[Verdict, int]:
    """Return how many questions have each verdict that occurs, in the order of the words for them."""
    counts = Counter(question.verdict for question in questions)
    return {verdict: counts[verdict] for verdict in VERDICTS if counts[verdict]}
