"""The same question in other words, by rules that never change what is asked."""

from __future__ import annotations

from collections.abc import Iterator

import regex

from bot.question import detect_language, to_script

# Each tried in turn; what leaves a question as it was is no rewording.
_CHANGES = (
    (r"^In (?:what|which) year\b", "When"),
    (r"^When (was|were|did)\b", r"In what year \1"),
    (r"^How many\b(.+?) (are|were) there\b", r"What number of\1 \2 there"),
    (r"^Why (did|was|were|is|are|do|does)\b", r"For what reason \1"),
    (r"^Where (did|was|were|is|are|do|does)\b", r"In what place \1"),
    (r"\bwhat (type|kind|sort)s? of\b", "which type of"),
    (r"\b[Ww]hich (?=\p{Ll})", "what "),
    (r"^What (?=(?!is|was|are|were|do|did|does|can|has|had)\p{Ll}+ )", "Which "),
    (r"^What is the name of\b", "What's the name of"),
    (r"^(What|Who|Where) is\b", r"\1's"),
    (r"\btwo\b", "2"),
    (r"\bthree\b", "3"),
    (r"\bcolor\b", "colour"),
    (r"\b(\p{L}{3,})ized\b", r"\1ised"),
    (r"何時|什麼時候|什么时候", "甚麼時候"),
    (r"哪一?年", "哪個年份"),
    (r"誰|谁", "哪一位"),
    (r"哪[裡里]", "什麼地方"),
    (r"有多少", "有幾多"),
)
_FRAMES = {
    "en": (
        "Please tell me: {question}",
        "Hello, I would like to know: {question}",
        "{lower}",
        "Quick question – {question} Thanks!",
        "Do you know {lower}?",
    ),
    "zh": ("請問，{question}", "我想知道{question}", "{plain}", "你好，{question}謝謝！"),
}
_END = regex.compile(r"[\s?？.。]+$")


def reword(question: str, number: int) -> str:
    """Return a question in other words.

    Args:
        question: As it stands in a set.
        number: Chooses among the frames, so that a set of questions meets them all.
    """
    language = detect_language(question)
    changed = next(_changed(question), question)
    frames = _FRAMES["en" if language == "en" else "zh"]
    frame = frames[number % len(frames)]
    plain = _END.sub("", changed)
    framed = frame.format(question=changed, lower=plain[0].lower() + plain[1:], plain=plain)
    return to_script(framed, language)


def _changed(question: str) -> Iterator[str]:
    for pattern, replacement in _CHANGES:
        changed = regex.sub(pattern, replacement, question, count=1)
        if changed != question:
            yield changed
