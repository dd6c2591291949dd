from __future__ import annotations

import pytest

from bot.answer.draft import Draft
from bot.stages.evidence.ranking import ScoredSentence
from bot.stages.evidence.selection import Features, Sentence
from bot.stages.writing.two_sides import other_side, sides
from index.document import Chunk, Document, Span
from index.embedding.embedder import Embedder

FERRY = "The ferry to Lantern Island carries 200 guests and sails every hour."
BUS = "Sixty passengers have a seat on the night bus, and dogs ride for free."
TICKETS = "Tickets are sold on board and at the pier."
DOCUMENT = Document("a.txt", "Ways", f"{FERRY}\n{BUS}\n{TICKETS}", "text/plain", "0" * 64, ())
FEATURES = Features(0.5, 0.0, 0.5, 0.5, 0.0, 0.0, 0.5, 1.0, 0.5, 0.5, 1.0)


class Shelf:
    def document(self, document_id: str) -> Document | None:
        return DOCUMENT if document_id == DOCUMENT.document_id else None


def _span(line: str) -> Span:
    start = DOCUMENT.text.index(line)
    return Span(start, start + len(line))


def _other_side(question: str, *drafted: str, embedder: Embedder) -> list[str]:
    spans = tuple(_span(line) for line in (FERRY, BUS, TICKETS))
    chunk = Chunk("a.txt:0", "a.txt", 0, Span(0, len(DOCUMENT.text)), DOCUMENT.text, "Ways", spans)
    ranked = [
        ScoredSentence(Sentence(chunk, span, span.of(DOCUMENT.text), FEATURES, frozenset()), 0.5) for span in spans
    ]
    drafts = [Draft(line, ((DOCUMENT, _span(line)),), "quoted") for line in drafted]
    return [one.text for one in other_side(question, drafts, ranked, Shelf(), embedder)]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Compare the ferry with the bus.", ("the ferry", "the bus.")),
        ("How does the ferry differ from the bus?", ("How does the ferry", "the bus?")),
        ("How does the fare compare to last year's?", ("How does the fare", "last year's?")),
        ("What is the difference between a ferry and a bus?", ("a ferry", "a bus?")),
        ("Who drives the bus, and where does it stop?", ("Who drives the bus", "where does it stop?")),
        ("Is the ferry bigger than the bus?", ("Is the ferry bigger", "the bus?")),
        ("渡輪與巴士有何不同？", ("渡輪", "巴士")),
        ("Is the ferry bigger than it was?", None),
        ("Does it carry more than 200 guests?", None),
        ("Is it open on days other than Sunday?", None),
        ("Who drives the bus and the ferry?", None),
    ],
)
def test_sides(question: str, expected: tuple[str, str] | None) -> None:
    assert sides(question) == expected


def test_a_question_for_two_things_is_answered_from_two_places(embedder: Embedder) -> None:
    for question in ("How does the ferry differ from the bus?", "Compare the bus with the ferry."):
        assert _other_side(question, FERRY, embedder=embedder) == [BUS]
        assert _other_side(question, BUS, embedder=embedder) == [FERRY]
        assert _other_side(question, FERRY, BUS, embedder=embedder) == []


def test_nothing_is_added_where_nothing_is_missing(embedder: Embedder) -> None:
    assert _other_side("How many guests does the ferry carry?", FERRY, embedder=embedder) == []
    assert _other_side("How does the ferry differ from the aeroplane?", FERRY, embedder=embedder) == []
    assert _other_side("How does the ferry differ from the bus?", embedder=embedder) == []
