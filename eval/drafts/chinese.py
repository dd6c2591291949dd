"""Questions that a Chinese sentence answers: what is asked for gives way to a question word where it stands.

The question words are in traditional script; each question is turned into the script of its sentence.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import regex

from bot.stages.question.clean import detect_language, to_script
from bot.text.dates import read_dates
from bot.text.fact import normalise
from bot.text.numerals import CHINESE_CHARACTERS
from bot.text.quantity import Quantity, read_quantities
from eval.drafts.question_draft import (
    Amount,
    Groups,
    QuestionDraft,
    SourceSentence,
    date_phrases,
    item_groups,
    number_phrases,
    word_groups,
)
from index.document import Span

_END = regex.compile(r"[。！？；;!?]+$")
# All patterns are in simplified script and read a simplified copy of the sentence, in which nothing has moved.
_UNCLEAR = regex.compile(
    r"^(?:[他她它其这那此该我你您但而并亦也又如若当时从于由随后之只仅至]|因此|所以|同[时月年]|另外|不过|然而|接着|甚至|虽然|直到|根据|"
    r"结果|可是|经过|目前|现在)"
)
_CLAUSE_END = regex.compile(r"[，,；;：:]")
_NAME = r"[\p{Han}\p{Latin}\d·「」《》]"
_IS = regex.compile(rf"^(?P<name>{_NAME}{{2,14}})(?<![像就都也不的])是(?P<what>(?:一|由|位|全|本)[^。]{{4,}})")
_PLACED = regex.compile(rf"^(?P<name>[^，。]{{2,20}}?)(?P<verb>位于|设于|坐落于|设在)(?P<place>{_NAME}{{2,20}})")
_BY = regex.compile(
    rf"^(?P<name>[^，。]{{2,24}}?)由(?P<who>{_NAME}{{2,16}}?)(?P<verb>负责|主持|创立|创办|设计|管理|营运|担任)"
)
_ROLE = regex.compile(
    r"(?:^|[，。])(?P<role>\p{Han}{2,12}(?:局长|部长|主席|校长|院长|总监|经理|馆长))(?P<name>\p{Han}{2,3})"
    r"(?=表示|指出|说|称|认为|，|在|于)"
)
_ITEMS = regex.compile(
    r"^(?P<before>[^，。]{2,30}?(?:包括|包含|分别是|有以下))：?(?P<items>[^。；，]+?(?:、[^。；、，]+)+)$"
)
_REASON = regex.compile(r"^(?:因为|由于)(?P<reason>[^，。]{3,})，(?:所以|因此)?(?P<what>[^，。]{4,40})$")
_MEASURE = regex.compile(r"[个名间所座项人位本册条次天小时公里层栋辆种]\p{Han}{0,4}")
# What stands beside a date or number that is part of something longer: a range, an era, a decade.
_JOINED_BEFORE = regex.compile(r"[至和与及、到\-–~年月日\p{N}" + CHINESE_CHARACTERS + r"]\s*$")
_JOINED_AFTER = regex.compile(r"^\s*[至和与及、到\-–~代间前后赛以年月日世\p{N}" + CHINESE_CHARACTERS + "]")
_CALENDAR = regex.compile(r"[年月日号]$|世纪|年代")
_NUMERAL = regex.compile(rf"^[\p{{N}}{CHINESE_CHARACTERS}.,约]+")
_LABEL_END = regex.compile(r"(?:已|约|高达|达到|达|占|为|是|有|至|的|共)+$")


def propose_chinese(sentence: SourceSentence) -> Iterator[QuestionDraft]:
    """Yield the questions that a sentence answers."""
    flat = _END.sub("", sentence.flat())
    plain = normalise(flat)
    if _UNCLEAR.match(plain) and not _REASON.match(plain):
        return
    language = detect_language(flat)
    for draft in (*_in_place(flat, plain, sentence), *_forms(flat, plain, sentence)):
        yield replace(draft, question=to_script(draft.question, language))


def _in_place(flat: str, plain: str, sentence: SourceSentence) -> Iterator[QuestionDraft]:
    """Yield questions for the dates and numbers of the first clause, where the subject is known."""
    end = _CLAUSE_END.search(plain)
    clause, plain = (flat[: end.start()], plain[: end.start()]) if end else (flat, plain)
    for date in read_dates(clause):
        before, after = clause[: date.span.start], clause[date.span.end :]
        if date.options and _stands_alone(plain, date.span):
            question = regex.sub("[於于在]何時", "於何時", f"{before}何時{after}？")
            subject = regex.sub("[於于在自從从]$", "", before)
            yield QuestionDraft("date", question, (date_phrases(date, clause),), (sentence,), subject)
    for one in read_quantities(clause):
        is_plain = not (one.is_article or one.is_ordinal or one.code or _CALENDAR.search(one.span.of(plain)))
        if is_plain and _stands_alone(plain, one.span) and (one.unit or _MEASURE.match(plain, one.span.end)):
            yield _counted(one, clause, sentence)


def _counted(one: Quantity, clause: str, sentence: SourceSentence) -> QuestionDraft:
    before, after, written = clause[: one.span.start], clause[one.span.end :], one.span.of(clause)
    numeral = _NUMERAL.match(normalise(written)) if one.unit else None
    unit = written[numeral.end() :] if numeral else ""
    label = before[: len(_LABEL_END.sub("", normalise(before)))]
    amount = Amount(label, f"{unit}{after}", min(one.values)) if len(label) > 2 and len(after) < 4 else None
    question = f"{regex.sub('[約约]$', '', before)}多少{unit}{after}？"
    return QuestionDraft("numeric", question, (number_phrases(one, clause),), (sentence,), amount=amount)


def _forms(flat: str, plain: str, sentence: SourceSentence) -> Iterator[QuestionDraft]:
    def draft(kind: str, question: str, expect: Groups, subject: str = "") -> QuestionDraft:
        return QuestionDraft(kind, question, expect, (sentence,), subject)

    def parts(match: regex.Match[str]) -> dict[str, str]:
        return {name: flat[slice(*match.span(name))] for name in match.groupdict()}

    if match := _IS.match(plain):
        name, what = parts(match).values()
        question = f"{name}是什麼？"
        yield draft("definition", question, word_groups(what, question), name)
    if match := _PLACED.match(plain):
        name, verb, place = parts(match).values()
        yield draft("where", f"{name}{verb}哪裏？", item_groups([place]), name)
    if match := _BY.match(plain):
        name, agent, verb = parts(match).values()
        yield draft("who", f"{name}由誰{verb}？", item_groups([agent]), name)
    if match := _ROLE.search(plain):
        role, name = parts(match).values()
        yield draft("who", f"{role}是誰？", item_groups([name]))
    if match := _ITEMS.match(plain):
        before, listed = parts(match).values()
        items = [item.strip() for item in regex.split("[、和及與与]", listed) if item.strip()]
        if all(len(item) <= 14 for item in items):
            yield draft("list", f"{before}哪些？", item_groups(items))
    if match := _REASON.match(plain):
        reason, what = parts(match).values()
        question = f"為什麼{what}？"
        yield draft("why", question, word_groups(reason, question))


def _stands_alone(plain: str, span: Span) -> bool:
    """Return whether what stands at a place is named for itself, and enough is left to ask about."""
    is_joined = _JOINED_BEFORE.search(plain[: span.start]) or _JOINED_AFTER.search(plain[span.end :])
    return not is_joined and span.start > 1 and len(plain) - len(span) > 4
