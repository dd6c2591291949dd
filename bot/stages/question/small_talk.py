"""Greetings, thanks and goodbyes: a human reply, no search, no footnote."""

from __future__ import annotations

import regex

_PATTERNS = {
    "greeting": (
        r"(?:hi|hello|hey|hiya|howdy|greetings|good (?:morning|afternoon|evening|day))"
        r"(?: there| again| footnote| everyone)?"
        r"(?:,? how are you(?: today| doing)?)?|how are you(?: today| doing)?|what'?s up"
        r"|你好(?:嗎|吗|呀|啊)?|您好|哈囉|哈啰|嗨|早安|早晨|早上好|午安|下午好|晚上好|晚安"
    ),
    "thanks": (
        r"(?:ok(?:ay)?,? |great,? |perfect,? )?(?:many )?(?:thanks?|thank you|thx|cheers|much appreciated)"
        r"(?: you)?(?: so much| very much| a lot| for (?:your|the) help| for that| again)*"
        r"(?:,? (?:(?:that'?s|that is|this is|that was) (?:all|great|helpful|very helpful|perfect)"
        r"|that helps(?: a lot)?))?"
        r"|(?:(?:that'?s|that is|that was) (?:all|great|helpful|very helpful|perfect)|that helps(?: a lot)?)"
        r"(?:,? (?:thanks?|thank you))?"
        r"|(?:多謝|多谢|謝謝|谢谢|唔該|感謝|感谢)(?:你|您|晒|曬|哂|了|啦)?(?:的?(?:幫助|帮助))?"
    ),
    "goodbye": (
        r"(?:good)?bye(?:[ -]?bye)?(?: now)?|see you(?: later| soon)?|have a (?:nice|good|great) (?:day|evening|one)"
        r"|再見|再见|拜拜"
    ),
    "identity": (
        r"(?:so )?(?:who|what) are you|what can you do(?: for me)?|what do you do|can you help(?: me)?"
        r"|are you (?:a |an )?(?:bot|robot|human|ai|real)"
        r"|(?:你|您)(?:是誰|是谁|是什麼|是什么|叫什麼名字|叫什么名字)"
        r"|(?:你|您)(?:可以|能)(?:做|幫|帮)(?:什麼|什么|我)"
    ),
}
_COMPILED = {kind: regex.compile(pattern, regex.IGNORECASE) for kind, pattern in _PATTERNS.items()}
_EDGES = regex.compile(r"^[\s\p{P}\p{S}]+|[\s\p{P}\p{S}]+$")
_BREAK = regex.compile(r"\s*[,.!?;:，。！？；、~…]+\s*")


def small_talk_kind(question: str) -> str | None:
    """Return `greeting`, `thanks`, `goodbye` or `identity` when the message is nothing else, or None.

    "Hi, thanks!" is small talk; "Hi, when does it open?" is a question.
    """
    message = _EDGES.sub("", question)
    if not message or len(message) > 80:
        return None
    whole = _match(message)
    if whole:
        return whole
    parts = [_match(part) for part in _BREAK.split(message) if part]
    return parts[-1] if parts and all(parts) else None


def _match(message: str) -> str | None:
    return next((kind for kind, pattern in _COMPILED.items() if pattern.fullmatch(message)), None)
