"""The list of documents, however many there are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from index.document import Document
from index.store.catalogue import Catalogue, Publication

TITLES = {
    "a/annual.pdf": "Annual Report on the Ferry",
    "b/ferry.txt": "燈籠島渡輪服務通告",
    "c/100%_sure.txt": "Percent % and under_score",
    "d/old.txt": "Annual Report on the Harbour",
}


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    catalogue = Catalogue(f"sqlite:///{tmp_path / 'footnote.db'}")
    for document_id, title in TITLES.items():
        catalogue.stage(Document(document_id, title, "text", "text/plain", "0" * 64, ()), [], [], document_id)
    catalogue.publish(Publication("g", "f", (), "p", "e"))
    catalogue.stage(Document("e/staged.txt", "Annual", "text", "text/plain", "0" * 64, ()), [], [], "e")
    yield catalogue
    catalogue.close()


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("", ["a/annual.pdf", "b/ferry.txt", "c/100%_sure.txt", "d/old.txt"]),
        ("annual", ["a/annual.pdf", "d/old.txt"]),
        ("FERRY  report", ["a/annual.pdf"]),
        ("ferry", ["a/annual.pdf", "b/ferry.txt"]),
        ("渡輪", ["b/ferry.txt"]),
        ("%", ["c/100%_sure.txt"]),
        ("_", ["c/100%_sure.txt"]),
        ("nothing", []),
    ],
)
def test_titles_and_ids_are_searched_for_every_word(catalogue: Catalogue, words: str, found: list[str]) -> None:
    assert [one.document_id for one in catalogue.titles(words, 0, 10)] == found
    assert [one.title for one in catalogue.titles(words, 0, 10)] == [TITLES[one] for one in found]


def test_list_comes_in_pieces_and_counts_only_what_is_live(catalogue: Catalogue) -> None:
    assert catalogue.count_documents() == 4
    pieces = [catalogue.titles("", start, 2) for start in (0, 2, 4)]
    assert [len(piece) for piece in pieces] == [2, 2, 0]
    assert [one.document_id for piece in pieces for one in piece] == list(TITLES)
