"""When a document is from: the dated line in its head answers "What is the date of the report?"."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import regex

from bot.answer.draft import Documents, Draft, quote
from bot.text.dates import read_dates
from index.document import RetrievedChunk, Span
from index.text.words import content_words

_DOCUMENT = (
    r"(?:article|document|file|report|paper|letter|notice|text|page|news|story|piece|memo|e-?mail"
    r"|(?:press|news)\srelease|announcement|circular|statement)"
)
_MADE = r"(?:published|written|issued|dated|released|posted|printed|from)"
_PATTERN = regex.compile(
    rf"""\bdate\s(?:of|on)\s(?:the|this|that)\s(?:\p{{L}}+\s)?{_DOCUMENT}\b
    | \b(?:when|(?:what|which)\s(?:date|day))\s(?:is|was)\s(?:the|this|that)\s(?:\p{{L}}+\s)?{_DOCUMENT}\b.*\b{_MADE}\b
    | \bdate\s(?:does|is)\s(?:the|this|that)\s(?:\p{{L}}+\s)?{_DOCUMENT}\b
    | \bhow\sold\sis\s(?:the|this|that)\s{_DOCUMENT}\b
    | (?:這|这|該|该|本)?[篇份則则封]?(?:文章|文件|報[道導告]|报[道导告]|新[聞闻]|公告|通告|信)(?:是)?
      (?:的?(?:發[表布佈]|发[表布]|刊登|出版)?(?:日期|時間|时间)|(?:在|於|于)?(?:何[時时]|(?:什麼|什么)[時时]候|[哪幾几]一?[天日年月])\s?(?:發[表布佈]|发[表布]|刊登|寫|写))""",
    regex.IGNORECASE | regex.VERBOSE,
)
_HEAD = 400
_LONGEST_LINE = 60
_LINE = regex.compile(r"\S[^\n]*")


def document_date(
    question: str, found: Sequence[RetrievedChunk], documents: Documents, count: Callable[[], int]
) -> Draft | None:
    """Return the line in which a document says when it is from, where that is asked and known which one is meant.

    Args:
        question: Standing alone.
        found: What was retrieved, best first.
        documents: To quote from.
        count: Says how many documents there are: of several, the question has to say more than "the article".
    """
    asked = _PATTERN.search(question)
    if asked is None or not found or (not content_words(_PATTERN.sub(" ", question)) and count() > 1):
        return None
    document = documents.document(found[0].chunk.document_id)
    span = _dated_line(document.text) if document else None
    if document is None or span is None:
        return None
    return quote(document, span)


def _dated_line(text: str) -> Span | None:
    for line in _LINE.finditer(text, endpos=min(len(text), _HEAD + _LONGEST_LINE)):
        words = line.group().rstrip()
        if line.start() > _HEAD or len(words) > _LONGEST_LINE:
            continue
        if any(day.year for date in read_dates(words) for day in date.options):
            return Span(line.start(), line.start() + len(words))
    return None
