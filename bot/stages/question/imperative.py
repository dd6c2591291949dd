"""The question in a message: in an imperative ("Find the price of the wing.") and within a long story.

A small model that is asked whether sentences state the answer to an imperative tends to say No: nothing is asked.
"""

from __future__ import annotations

import regex

from bot.stages.question.follow_up import find_reference

_SENTENCE_END = regex.compile(r"(?<=[.!?])\s+|(?<=[。！？])\s*")
_PLEASE = r"(?:please\s+|kindly\s+|(?:can|could|would|will)\s+you\s+(?:please\s+)?)?"
_VERBS = r"(?:find|find\s+out|look\s+up|give|get|tell|show|state|name|identify|determine|extract|list|mention|specify)"
_IMPERATIVE = regex.compile(rf"^{_PLEASE}{_VERBS}\s+(?:(?:me|us)\s+)?", regex.IGNORECASE)
# "Tell me who designed it": the question is there already.
_ASKING = regex.compile(r"^(?:what|which|who|whom|whose|when|where|why|how)\b(?!\s+to\b)", regex.IGNORECASE)
_THING = regex.compile(r"^(?:the|a|an|all|any|every|each|both|its|their|his|her)\s+\p{L}*", regex.IGNORECASE)
_MANY = regex.compile(r"^(?:all|both)\b", regex.IGNORECASE)
# "If there are several, record all of them.", "Answer in one word.": about the reply, and not about the documents.
_ABOUT_THE_REPLY = regex.compile(
    rf"^{_PLEASE}(?:if\s+(?:there\s+(?:is|are)\s+)?(?:multiple|several|many|more|none|nothing|not|unknown|unsure)\b[^,]*,"
    r"|(?:answer|reply|respond|be|keep|do\s+not|don['’]t)\b)",
    regex.IGNORECASE,
)
_END = regex.compile(r"[\s.!?。！？]+$")


def as_question(message: str) -> str:
    """Return an imperative as a question: "Find the price of the wing." asks "What is the price of the wing?".

    Sentences about the reply itself ("Answer briefly.") are left out. A message that is no imperative, or that wants a
    description rather than a thing, is returned as it is.
    """
    first, *others = [sentence for sentence in _SENTENCE_END.split(message.strip()) if sentence] or [""]
    if not all(_ABOUT_THE_REPLY.match(one) for one in others):
        return message
    verb = _IMPERATIVE.match(first)
    wanted = _END.sub("", first[verb.end() :]) if verb else ""
    if _ASKING.match(wanted):
        return f"{wanted[0].upper()}{wanted[1:]}?"
    if _THING.match(wanted):
        return f"What {'are' if _MANY.match(wanted) else 'is'} {wanted}?"
    return first


# A message up to this long is a question as it is.
_LONG = 160
_LONG_IDEOGRAPHS = 60
_QUESTION_END = ("?", "？")
_IDEOGRAPH = regex.compile(r"\p{Han}")


def find_questions(message: str) -> str:
    """Return the sentences of a long message that ask, each with the sentence before it where it refers to that.

    A message that is short, or asks in no sentence of its own, is returned whole.
    """
    if len(message) <= _LONG and len(_IDEOGRAPH.findall(message)) <= _LONG_IDEOGRAPHS:
        return message
    sentences = [sentence for sentence in _SENTENCE_END.split(message.strip()) if sentence]
    kept: list[int] = []
    for place, sentence in enumerate(sentences):
        if sentence.endswith(_QUESTION_END):
            leans = place > 0 and find_reference(sentence) is not None
            kept += [place - 1, place] if leans else [place]
    return " ".join(sentences[place] for place in dict.fromkeys(kept)) or message
