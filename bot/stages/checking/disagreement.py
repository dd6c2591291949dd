"""Sentences of the evidence that contradict the statements of an answer, shown after them with their own footnotes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.answer.answer import Citation, Statement, escape_markup
from bot.answer.draft import Documents, Footnotes, Introduction, Verified
from bot.stages.checking.contradiction import Contradiction, find_contradiction
from bot.stages.evidence.ranking import ScoredSentence
from bot.text.facts import missing_facts
from index.document import Span
from index.embedding.embedder import Embedder
from index.relations.precedence import Precedence

_MOST = 2
# Cosine below which two sentences speak of different things, however many words they share.
_SAME_THING = 0.5
_LONGEST_COMPARED = 300  # characters, as evidence is compared


@dataclass(frozen=True, slots=True)
class Disagreements:
    """Finds what contradicts the statements of one answer.

    Attributes:
        question: Standing alone, in the language of the documents.
        ranked: Sentences of evidence, best first.
        precedence: Of the documents they stand in.
    """

    question: str
    ranked: Sequence[ScoredSentence]
    precedence: Precedence
    documents: Documents
    embedder: Embedder

    def add_to(self, verified: Sequence[Verified], footnotes: Footnotes) -> list[Verified]:
        """Return the statements, each that contradicts an earlier one named so, and what else contradicts them.

        Args:
            verified: In the order they are shown.
            footnotes: Numbers of this answer.
        """
        stated: list[Verified] = []
        for one in verified:
            said = [other for other in stated if other.introduction is None]
            between = next((between for other in said if (between := self._between(other, one))), None)
            stated.append(replace(one, introduction=between))
        shown = [
            (citation.document_id, Span(citation.start, citation.end)) for one in stated for citation in one.citations
        ]
        values: set[str] = set()
        for scored in self.ranked:
            sentence = scored.sentence
            if any(scored.document_id == other and sentence.span.overlap(span) for other, span in shown):
                continue
            if sum(one.introduction is not None for one in stated) >= _MOST:
                break
            against = next((against for one in stated if (against := self._against(one, scored))), None)
            if against is None or against[0].otherwise in values:
                continue
            contradiction, introduction = against
            if quoted := self._quote(scored, introduction, footnotes):
                values.add(contradiction.otherwise)
                stated.append(quoted)
        return stated

    def _between(self, earlier: Verified, later: Verified) -> Introduction | None:
        for other in later.citations:
            for citation in earlier.citations:
                if self._contradict(earlier, citation, other.quote, other.document_id, other.title):
                    return self._introduction(citation.document_id, other.document_id)
        return None

    def _against(self, one: Verified, scored: ScoredSentence) -> tuple[Contradiction, Introduction] | None:
        if one.introduction is not None:
            return None
        sentence, document_id = scored.sentence, scored.document_id
        for citation in one.citations:
            if found := self._contradict(one, citation, sentence.text, document_id, sentence.chunk.title):
                return found, self._introduction(citation.document_id, document_id)
        return None

    def _quote(self, scored: ScoredSentence, introduction: Introduction, footnotes: Footnotes) -> Verified | None:
        document, span = self.documents.document(scored.document_id), scored.sentence.span
        if document is None or span.of(document.text) != scored.sentence.text:
            return None
        citation = footnotes.cite(document, span)
        text = escape_markup(" ".join(citation.quote.split()))
        statement = Statement(text=text, citations=(citation.number,), support="quoted")
        return Verified(statement, (citation,), "quoted", introduction)

    def _contradict(
        self, one: Verified, citation: Citation, otherwise: str, document_id: str, title: str
    ) -> Contradiction | None:
        """Return what a sentence says otherwise than a statement, on which the statement itself is clear."""
        if self.precedence.compare_versions(citation.document_id, document_id) and self.precedence.names_version_of(
            citation.document_id
        ):
            return None  # the reader asked what this version says
        found = find_contradiction(citation.quote, otherwise, self.question, (citation.title, title))
        if found is None or missing_facts(found.said, [one.statement.text]):
            return None
        first, second = self.embedder.embed([text[:_LONGEST_COMPARED] for text in (citation.quote, otherwise)])
        return found if float(first @ second) >= _SAME_THING else None

    def _introduction(self, said_in: str, otherwise_in: str) -> Introduction:
        if said_in == otherwise_in:
            return "another_place"
        order = self.precedence.compare_versions(otherwise_in, said_in)
        return "another_document" if order == 0 else "newer_version" if order > 0 else "older_version"
