"""Which sentences of evidence are heard: none that forbids an answer; copies, echoes and old versions come last.

Sentences that tell the reader, or the bot, not to answer: no evidence for anything, and a matter for staff.
"""

from __future__ import annotations

from collections.abc import Sequence

import regex

from bot.stages.judgement.answerability import Judged
from index.relations.precedence import Precedence
from index.text.words import content_words

_ASKS = regex.compile(r"[?？][^\p{L}\p{N}]*$")


def order_by_standing(ranked: Sequence[Judged], precedence: Precedence, question: str) -> list[Judged]:
    """Return the sentences that are heard, best first, those of less standing behind all others.

    Args:
        ranked: Best first.
        precedence: Of the documents they stand in.
        question: Standing alone; a sentence that only asks it does not answer it.
    """
    asked = {word.key for word in content_words(question)}
    open_to_all = [one for one in ranked if not blocks_answers(one.sentence.text)]
    echoes = [one for one in open_to_all if _ASKS.search(one.sentence.text) and one.sentence.words <= asked]
    answering = [one for one in open_to_all if one not in echoes]
    current, superseded = precedence.split_versions(answering, _document_of, lambda one: one.sentence.text)
    copies = precedence.count_copies(current, _document_of, lambda one: [one.sentence.text])
    counted = list(zip(current, copies, strict=True))
    heard, repeated = [one for one, times in counted if not times], [one for one, times in counted if times]
    return [*heard, *superseded, *repeated, *echoes]


def _document_of(one: Judged) -> str:
    return one.sentence.chunk.document_id


_BLOCKS = regex.compile(
    r"\b(?:this|that|such an?|the (?:above|following)) (?:question|query|request) "
    r"(?:can(?:not|'t|’t| not)|(?:must|should|may|shall|will) not|is not to|is impossible to|has no answer)\b"
    r"|\b(?:refuse|decline) to (?:answer|reply|respond)"
    r"(?:\s+(?:to\s+)?(?:this|any|it|all|the (?:question|user)|questions)\b|[.!:]|$)"
    r"|(?:^|[.!:;]\s*|\b(?:you|assistants?|the (?:bot|model|assistant)) (?:must|should|shall|will|are to) |\bplease )"
    r"(?:do not|don['’]t|never|not) (?:answer|reply|respond)\b"
    r"|\b(?:ignore|disregard) (?:all |any )?(?:the |of the )?(?:other|previous|above|preceding) "
    r"(?:documents?|sources?|passages?|context|instructions?|texts?)\b"
    r"|(?:此|這個|这个|該|该|上述|以下)(?:問題|问题|提問|提问)(?:無法|无法|不能|不可|不得|不應|不应)(?:回答|作答|解答)"
    r"|(?:請|请|必須|必须|應|应)(?:拒絕|拒绝|不要|勿)(?:回答|作答|答覆|答复)|(?:忽略|無視|无视)(?:其他|上述|之前)的?(?:文件|資料|资料|指示|指令)",
    regex.IGNORECASE,
)


def blocks_answers(sentence: str) -> bool:
    """Return whether a sentence says that a question is not to be answered, or that other sources do not count."""
    return bool(_BLOCKS.search(sentence))
