from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.chatbot import Chatbot
from bot.stages.evidence.document_date import document_date
from index.document import Chunk, Document, RetrievedChunk, Span
from index.sync import SyncReport

NOTICE = """Harbour Office: New Vessels for the Ferry Service
{date}
Press Office

The Harbour Office will replace two of its five vessels in 2026. The council decided so on 3 March 2025, after talks.
"""


@pytest.fixture
def ask(
    tmp_path: Path, index_folder: Callable[..., SyncReport], open_chatbot: Callable[[Path], Chatbot]
) -> Callable[..., tuple[str, list[str]]]:
    def ask(question: str, **texts: str) -> tuple[str, list[str]]:
        folder = tmp_path / "documents"
        folder.mkdir()
        for name, text in texts.items():
            (folder / f"{name}.txt").write_text(text)
        index_folder(folder, tmp_path / "data")
        answer = open_chatbot(tmp_path / "data").ask(question)
        return answer.kind, [citation.quote for citation in answer.citations]

    return ask


@pytest.mark.parametrize(
    "question",
    [
        "What is the date of the article?",
        "When was this press release published?",
        "What date was the notice issued?",
        "這篇文章的日期是？",
    ],
)
def test_a_document_says_itself_when_it_is_from(question: str, ask: Callable[..., tuple[str, list[str]]]) -> None:
    assert ask(question, ferry=NOTICE.format(date="Published: 16/04/2025")) == ("answer", ["Published: 16/04/2025"])


def test_no_date_of_the_story_is_taken_for_it() -> None:
    text = NOTICE.format(date="Lantern Island")
    document = Document("ferry.txt", "New Vessels", text, "text/plain", "0" * 64, ())
    span = Span(0, len(text))
    found = [RetrievedChunk(Chunk("ferry.txt:0", "ferry.txt", 0, span, text, "New Vessels", (span,)), 1, 0.9)]

    class Shelf:
        def document(self, document_id: str) -> Document | None:
            return document

    assert document_date("What is the date of the article?", found, Shelf(), lambda: 1) is None


def test_of_several_documents_it_has_to_be_known_which(ask: Callable[..., tuple[str, list[str]]]) -> None:
    texts = {
        "ferry": NOTICE.format(date="16/04/2025"),
        "library": "The Library Opens on Sundays\n2 May 2025\n\nThe town library opens on Sundays from June.\n",
    }
    assert ask("What is the date of the article about the library on Sundays?", **texts)[1] == ["2 May 2025"]


def test_the_article_alone_is_none_of_several(ask: Callable[..., tuple[str, list[str]]]) -> None:
    texts = {
        "ferry": NOTICE.format(date="16/04/2025"),
        "library": "The Library Opens on Sundays\n2 May 2025\n\nThe town library opens on Sundays from June.\n",
    }
    assert ask("What is the date of the article?", **texts)[1] not in (["2 May 2025"], ["16/04/2025"])
