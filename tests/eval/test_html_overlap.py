"""Golden evidence found in what was cited, from the words of both."""

from __future__ import annotations

import pytest

from bot.answer.answer import Citation
from eval.report.question import covering, mark_evidence
from eval.suites.golden import EvidenceItem, Quote

GOLDEN = "leaves Mui Wo at 5:55 am"


def cite(quote: str, document_id: str = "ferry.txt") -> Citation:
    return Citation(
        number=3, document_id=document_id, title="F", page=None, start=0, end=len(quote), quote=quote
    )  # fmt: skip


def look(cited: str, golden: str = GOLDEN, document_id: str = "ferry.txt") -> tuple[str, tuple[int, ...]]:
    """Return the cited quote with golden evidence in brackets, and which citations cover it."""
    citation, quote = cite(cited), Quote(document_id=document_id, quote=golden)
    pieces = mark_evidence(citation, [EvidenceItem(any_of=(quote,))])
    assert "".join(piece.text for piece in pieces) == cited
    return "".join(f"<{piece.text}>" if piece.golden else piece.text for piece in pieces), covering([citation], quote)


@pytest.mark.parametrize(
    ("cited", "marked", "covered"),
    [
        ("It leaves Mui Wo at 5:55 am daily.", "It <leaves Mui Wo at 5:55 am> daily.", (3,)),
        ("It leaves Mui\n Wo at 5:55 am daily.", "It <leaves Mui\n Wo at 5:55 am> daily.", (3,)),
        ("Wo at 5:55 am and later.", "<Wo at 5:55 am> and later.", (3,)),  # 13 of 24 characters
        ("The ferry leaves Mui Wo", "The ferry <leaves Mui Wo>", (3,)),  # 13 of 24
        ("at 5:55 am sharp", "<at 5:55 am> sharp", ()),  # 10 of 24
        ("Mui Wo at 5:55", "<Mui Wo at 5:55>", (3,)),  # all of it golden
        ("am I late?", "am I late?", ()),  # a common end of two letters is chance
        ("Nothing of the kind.", "Nothing of the kind.", ()),
    ],
)
def test_golden_words_are_marked_and_half_of_them_cover(cited: str, marked: str, covered: tuple[int, ...]) -> None:
    assert look(cited) == (marked, covered)


def test_the_same_words_in_another_document_are_not_evidence() -> None:
    assert look(f"It {GOLDEN}.", document_id="other.txt") == (f"It {GOLDEN}.", ())


def test_overlapping_evidence_is_marked_once() -> None:
    items = [
        EvidenceItem(any_of=(Quote(document_id="ferry.txt", quote=words),)) for words in ("Mui Wo at 5", "at 5:55 am")
    ]
    pieces = mark_evidence(cite("leaves Mui Wo at 5:55 am"), items)
    assert "".join(piece.text for piece in pieces) == "leaves Mui Wo at 5:55 am"
    assert "".join(piece.text for piece in pieces if piece.golden) == "Mui Wo at 5:55 am"
