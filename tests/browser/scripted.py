"""A chatbot with the shape of the real one that says what it is told: for states that are hard to bring about."""

# ruff: noqa: E501  (documents have the lines they have)

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Self

from bot.answer.answer import Answer, Citation, Provenance, Refusal, RetrievedEntry, Statement, render_text
from bot.answer.conversation import Turn
from bot.answer.events import Event, EvidenceFound, Finished, StatementReady, Understood
from bot.settings import Settings
from bot.storage.answers import AnswerRecords
from bot.storage.library import Contents, Overview
from bot.web.answer_service import AnswerService
from bot.web.page.stream import PageStream
from index.document import Document, Page, Span
from index.errors import FootnoteError
from index.store.catalogue import LiveDocument, TitledDocument

REPORT = """Harbour Office: Annual Report on the Ferry Service
12 March 2025
The Harbour Office has run the ferry between the Old Pier and Lantern Island since 1968. It carried 2.4 million passengers in 2024, which is 6 per cent more than in the year before.
The fare for adults is HK$8.20 on weekdays and HK$11.50 on Sundays and public holidays. Children under twelve and persons aged sixty-five or above travel at half fare.
In 2025 the Office will replace two of the five vessels. HK$180 million has been reserved for the purpose, and the first new vessel is expected to enter service in October 2025.
The new vessels run on batteries and are charged at the Old Pier overnight. A full charge lasts for eleven crossings.
During typhoon signal No. 8 or above the service is suspended. Passengers are told at both piers and on the website at least two hours before the last crossing.
The Office received 312 complaints in 2024. Most concerned the queue at the Old Pier on Sunday afternoons, for which a second gangway was opened in November.
"""
NOTICE = """燈籠島渡輪服務通告
二零二五年五月一日
自二零二五年六月一日起，舊碼頭開往燈籠島的首班船提前至上午六時十分開出，尾班船則延至晚上十一時三十分。
星期日及公眾假期每十五分鐘一班，平日每二十分鐘一班。
乘客可以八達通或現金繳付船費。成人平日收費為港幣八元二角。
"""
HOSTILE = """<img src=x onerror="document.title='hacked'"> ${alert(1)} {{7*7}} {% raw %}
<script>document.title='hacked'</script> The secret harbour word is </mark></p><script>document.title='hacked'</script> seahorse.
![remote](https://remote.example/pixel.png) <svg onload="document.title='hacked'"> \u202etxet desrever\u202c \u200b\U000e0041
"""
LONG = "\n".join(
    f"Paragraph {number}. " + "The harbour is wide and the crossing takes eleven minutes. " * 8
    for number in range(1, 160)
)


def _document(document_id: str, title: str, text: str, pages: tuple[Page, ...] = ()) -> Document:
    return Document(document_id, title, text, "text/plain", "0" * 64, pages)


_half = REPORT.index("In 2025 the Office")
DOCUMENTS = {
    document.document_id: document
    for document in (
        _document(
            "reports/ferry 2025.pdf",
            "Harbour Office: Annual Report on the Ferry Service",
            REPORT,
            (Page(1, Span(0, _half)), Page(2, Span(_half, len(REPORT)))),
        ),
        _document("notices/燈籠島.txt", "燈籠島渡輪服務通告", NOTICE),
        _document("hostile:<b>.txt", "<img src=x onerror=\"document.title='hacked'\"> {{7*7}} ${alert(1)}", HOSTILE),
        _document("long.txt", "The crossing, at length", LONG),
    )
}


def cite(number: int, document_id: str, quote: str) -> Citation:
    document = DOCUMENTS[document_id]
    start = document.text.index(quote)
    return Citation(
        number=number,
        document_id=document_id,
        title=document.title,
        page=document.page_at(start),
        start=start,
        end=start + len(quote),
        quote=quote,
    )


FERRY, CHINESE, HOSTILE_ID = "reports/ferry 2025.pdf", "notices/燈籠島.txt", "hostile:<b>.txt"
FARE = "The fare for adults is HK$8.20 on weekdays and HK$11.50 on Sundays and public holidays."
HALF_FARE = "Children under twelve and persons aged sixty-five or above travel at half fare."
RESERVED = "HK$180 million has been reserved for the purpose, and the first new vessel is expected to enter service in October 2025."
BATTERIES = "The new vessels run on batteries and are charged at the Old Pier overnight."


class ScriptedChatbot:
    """Answers by keywords; `delay` seconds pass between its events; `invented` documents more have only a title."""

    def __init__(
        self, delay: float = 0.0, *, empty: bool = False, shown: int = len(DOCUMENTS), invented: int = 0
    ) -> None:
        self.settings = Settings(answerer="extractive")
        self.delay = delay
        self.empty = empty
        self.shown = shown
        self.invented = tuple(TitledDocument(f"{number}.txt", f"Chapter {number}") for number in range(invented))
        self.histories: list[tuple[Turn, ...]] = []
        self.closed_streams = 0

    def stream(
        self,
        question: str,
        history: Sequence[Turn] = (),
        *,
        question_id: str | None = None,
        cancel: threading.Event | None = None,
    ) -> Iterator[Event]:
        del cancel
        self.histories.append(tuple(history))
        try:
            for event in self._events(question, tuple(history), question_id or "q"):
                if self.delay:
                    time.sleep(self.delay)
                yield event
        finally:
            self.closed_streams += 1

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def _events(self, question: str, history: tuple[Turn, ...], question_id: str) -> Iterator[Event]:
        asked = question.lower()
        if "hello" in asked:
            yield Finished(answer(question_id, question, text="Hello. Ask me anything about the documents."))
            return
        standalone = "When will the new ferry vessels enter service?" if history and "when" in asked else question
        yield Understood(standalone, standalone != question)
        if "broken" in asked:
            raise FootnoteError("The index cannot be read just now: run `footnote doctor` to see why.")
        if "crash" in asked:
            raise RuntimeError("a scripted crash")
        passages = (
            cite(1, FERRY, FARE),
            cite(2, FERRY, HALF_FARE),
            cite(3, FERRY, RESERVED),
            cite(4, CHINESE, "成人平日收費為港幣八元二角。"),
        )
        yield EvidenceFound(passages)
        if "captain" in asked:
            refusal = Refusal(
                reason="not_in_documents",
                message="The documents do not say who the captain is.",
                nearest=passages[1:3],
                options=("How many vessels will be replaced?", "What does a crossing cost on Sundays?"),
            )
            yield Finished(answer(question_id, question, refusal=refusal))
            return
        if "which" in asked:
            refusal = Refusal(
                reason="needs_clarification",
                message="There are two services with that name.",
                options=("What does the ferry to Lantern Island cost?", "What does the night ferry cost?"),
            )
            yield Finished(answer(question_id, question, refusal=refusal))
            return
        statements = statements_for(asked)
        for statement, citations in statements:
            yield StatementReady(statement, citations)
        yield Finished(answer(question_id, question, standalone=standalone, statements=statements))

    @property
    def library(self) -> Self:
        return self

    def document(self, document_id: str) -> Document | None:
        return DOCUMENTS.get(document_id)

    def is_indexed(self) -> bool:
        return not self.empty

    def overview(self) -> Overview:
        indexed_at = datetime.now(UTC) - timedelta(minutes=3)
        documents = tuple(
            LiveDocument(
                document_id=document.document_id,
                title=document.title,
                media_type=document.media_type,
                characters=len(document.text),
                source=document.document_id,
                content_hash=document.content_hash(),
                indexed_at=indexed_at,
            )
            for document in [*DOCUMENTS.values()][: self.shown]
        )
        return Overview(() if self.empty else documents, 40, None if self.empty else indexed_at, "0123456789abcdef")

    def contents(self, words: str = "", start: int = 0, count: int = 40) -> Contents:
        overview = self.overview()
        listed = [TitledDocument(one.document_id, one.title) for one in overview.documents]
        listed += self.invented
        found = [one for one in listed if all(word in " ".join(one).lower() for word in words.lower().split())][start:]
        return Contents(len(listed), tuple(found[:count]), len(found) > count, overview.indexed_at)

    def example_questions(self) -> tuple[str, ...]:
        return (
            "What does a crossing cost on Sundays?",
            "How much is reserved for the new vessels?",
            "平日成人船費是多少？",
            "When is the service suspended?",
        )

    def close(self) -> None:
        pass


Statements = list[tuple[Statement, tuple[Citation, ...]]]


def statements_for(asked: str) -> Statements:
    if "船費" in asked:
        return [(_quoted("成人平日收費為港幣八元二角。", 1), (cite(1, CHINESE, "成人平日收費為港幣八元二角。"),))]
    if "secret" in asked:
        quote = HOSTILE.split("\n")[1]
        return [(_quoted(quote, 1), (cite(1, HOSTILE_ID, quote),))]
    if "long" in asked:
        return [(_quoted("Paragraph 80.", 1), (cite(1, "long.txt", "Paragraph 80."),))]
    if "when" in asked or "reserved" in asked:
        reserved, batteries = cite(1, FERRY, RESERVED), cite(2, FERRY, BATTERIES)
        text = (
            "HK$180 million is reserved for two new vessels, the first of which should enter service in October 2025."
        )
        return [
            (Statement(text=text, citations=(1,), support="supported"), (reserved,)),
            (Statement(text="They run on batteries.", citations=(2,), support="supported"), (batteries,)),
        ]
    fare, half = cite(1, FERRY, FARE), cite(2, FERRY, HALF_FARE)
    return [(_quoted(FARE, 1), (fare,)), (_quoted(HALF_FARE, 2), (half,))]


def _quoted(text: str, *citations: int) -> Statement:
    return Statement(text=text, citations=citations, support="quoted")


def answer(
    question_id: str,
    question: str,
    *,
    standalone: str | None = None,
    statements: Statements | None = None,
    refusal: Refusal | None = None,
    text: str = "",
) -> Answer:
    said = tuple(statement for statement, _ in statements or ())
    citations = tuple(citation for _, cited in statements or () for citation in cited)
    retrieved = tuple(
        RetrievedEntry(chunk_id=f"c{rank}", document_id=document_id, start=0, end=120, rank=rank, score=1 / rank)
        for rank, document_id in enumerate((FERRY, CHINESE, "long.txt"), start=1)
    )
    return Answer(
        id=question_id,
        kind="answer" if said else "refusal" if refusal else "small_talk",
        question=question,
        standalone_question=standalone or question,
        text=render_text(said) if said else refusal.message if refusal else text,
        refusal=refusal,
        statements=said,
        citations=citations,
        retrieved=retrieved,
        confidence=0.93,
        timings_ms={"total": 214.0},
        provenance=Provenance(
            version="0.1.0",
            index_fingerprint="0123456789abcdef",
            embedding_model="packaged",
            answerer="extractive",
            language_model=None,
            prompts_hash="0",
        ),
    )


def page_stream(chatbot: ScriptedChatbot, records: AnswerRecords) -> PageStream:
    """Return the page's stream over an answer service of its own."""
    return PageStream(chatbot, AnswerService(chatbot, records))
