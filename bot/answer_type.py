"""What kind of thing a question asks for, and whether a sentence holds a thing of that kind."""

from __future__ import annotations

from enum import StrEnum

import regex


class AnswerType(StrEnum):
    """The kind of thing that would answer a question."""

    MONEY = "money"
    NUMBER = "number"
    DATE = "date"
    PERSON = "person"
    PLACE = "place"
    REASON = "reason"
    OTHER = "other"


def _pattern(words: str) -> regex.Pattern[str]:
    return regex.compile(words, regex.IGNORECASE)


# In this order: "how much money" before "how much", "what year" before "what".
_ASKS = (
    (AnswerType.MONEY, _pattern(r"how much (?:money|funding|did|does|is|was|were|has|have|will|would|do)|\b(?:cost|price|budget|fee|fare|salary|amount)\b|多少(?:錢|钱|撥款|拨款|資金|资金|款)|幾錢|几钱|費用|费用|價錢|价钱|預算|预算")),
    (AnswerType.DATE, _pattern(r"\bwhen\b|\bwhat (?:year|date|day|month|time|century|decade)\b|\bhow (?:soon|long ago)\b|何時|何时|什麼時候|什么时候|幾時|几时|哪(?:一)?年|幾點|几点|哪天")),
    (AnswerType.NUMBER, _pattern(r"\bhow (?:many|much|long|far|old|tall|high|big|large|deep|often|fast|wide|heavy)\b|\b(?:percentage|number of|what proportion|how frequently)\b|多少|幾個|几个|幾多|几多|百分之")),
    (AnswerType.PERSON, _pattern(r"\bwho(?:se|m)?\b|\bwhich (?:person|man|woman|official|professor|minister|author|president)\b|誰|谁|哪位|哪個人|哪个人")),
    (AnswerType.PLACE, _pattern(r"\bwhere\b|\b(?:what|which) (?:city|country|place|town|state|region|location|continent)\b|哪裡|哪里|何處|何处|什麼地方|什么地方|邊度")),
    (AnswerType.REASON, _pattern(r"\bwhy\b|\bwhat (?:is|was) the (?:reason|purpose|aim|goal)\b|\bfor what (?:reason|purpose)\b|為什麼|为什么|為何|为何|點解")),
)

_MONTH = r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
_NUMBER_WORD = (
    r"(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen"
    r"|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|million|billion|trillion|half|dozen|once|twice|several|single)"
)
_HOLDS = {
    AnswerType.MONEY: _pattern(r"\p{Sc}\s?\d|\d[\d,.]*\s?(?:dollars?|pounds?|euros?|yuan|yen|cents?|million|billion|trillion)|\b(?:HK|US|A|C|NT|S)\$|\b(?:USD|HKD|EUR|GBP|RMB|CNY)\b|\bfree\b|[\d一二三四五六七八九十百千萬万億亿]+\s?(?:元|美元|港元|億|亿|萬元|万元)"),
    AnswerType.NUMBER: _pattern(rf"\d|\b{_NUMBER_WORD}\b|[一二三四五六七八九十百千萬万億亿兩两]"),
    AnswerType.DATE: _pattern(
        rf"\b(?:1\d|20)\d\d\b|\b{_MONTH}\b|\d{{1,2}}[:/.]\d{{2}}|\b\d{{1,2}}(?:st|nd|rd|th)?\s(?:century|{_MONTH})|\b\d{{1,2}}\s?[ap]\.?m\b"
        r"|\b(?:today|yesterday|tomorrow|monday|tuesday|wednesday|thursday|friday|saturday|sunday|noon|midnight|morning|evening|spring|summer|autumn|winter)\b"
        r"|\b(?:last|next|this|later this|end of the|early|late|mid) ?-?(?:year|month|week|century|decade|\d{2,4}s?)\b|\b(?:after|before|during|since|until) (?:the|his|her|its|their)\b|[\d一二三四五六七八九十]+\s?(?:年|月|日|號|号|時|时|點|点)|(?:今|明|去)年"
    ),
    AnswerType.PERSON: _pattern(r"(?-i:\b[A-Z][\p{L}.'’-]+(?:\s+(?:of|the|and|de|van|von|bin|al)\b)?\s+[A-Z][\p{L}'’-]+)|(?-i:(?<=[\p{Ll},;]\s)[A-Z]\p{Ll}+)|\b(?:he|she|they|professor|mr|mrs|ms|dr|minister|secretary|president|company|government|office|department|council)\b|\p{Han}{2,4}(?:先生|女士|教授|局長|局长|部長|部长|主席)"),
    AnswerType.PLACE: _pattern(r"\b(?:in|at|near|from|on|of|to|north|south|east|west|northern|southern|eastern|western)\s+(?:the\s+)?(?-i:[A-Z])|\b(?:north|south|east|west|located|situated|based|adjacent|between)\b|[在於于位]"),
    AnswerType.REASON: _pattern(r"\b(?:because|since|due to|owing to|in order to|so that|to (?:\p{L}+)|as a result|reason|purpose|aim(?:s|ed|ing)?|caus(?:e|ed|es|ing)|therefore|thus|for the)\b|因為|因为|由於|由于|為了|为了|以便|旨在|從而|从而"),
}


def expected_type(question: str) -> AnswerType:
    """Return what kind of thing a question asks for."""
    return next((kind for kind, pattern in _ASKS if pattern.search(question)), AnswerType.OTHER)


def holds_type(text: str, kind: AnswerType) -> bool:
    """Return whether a text holds a thing of that kind; anything holds `OTHER`."""
    return kind is AnswerType.OTHER or bool(_HOLDS[kind].search(text))
