"""A question as it is read: cleaned of what cannot be seen, bounded, and its language known.

Messages that ask for the bot's own instructions, or give it new ones: neither is a question about documents.
"""

from __future__ import annotations

import functools
import unicodedata
from typing import Literal

import opencc
import regex

Language = Literal["en", "zh_hant", "zh_hans"]

# Control and format characters that change how a text looks without being read. The joiners U+200C and U+200D stay:
# Persian, Indic scripts and emoji are misspelt without them.
_INVISIBLE = regex.compile(r"[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Cn}--[\u200C\u200D\t\n]]", regex.VERSION1)
_HAN = regex.compile(r"\p{Han}")
_LETTER = regex.compile(r"[\p{L}\p{N}]")

_ASKS_FOR_A_THING = regex.compile(
    r"\b(?:what|which|who|whom|whose|when|where|why|how)\b|[什甚]麼|[什甚]么|[誰谁哪幾几何怎]|多少", regex.IGNORECASE
)


def clean_question(raw: str) -> str:
    """Return the question in one line, composed (NFC), without control, bidirectional or invisible characters."""
    visible = _INVISIBLE.sub("", unicodedata.normalize("NFC", raw))
    return " ".join(visible.split())


def has_words(question: str) -> bool:
    """Return whether there is a single letter or digit in it."""
    return bool(_LETTER.search(question))


def detect_language(text: str) -> Language:
    """Return the language to reply in: Chinese in its script when a fifth of the letters are Han, else English."""
    letters = _LETTER.findall(text)
    if not letters or len(_HAN.findall(text)) < 0.2 * len(letters):
        return "en"
    return (
        "zh_hans" if _converter("s2t").convert(text) != text and _converter("t2s").convert(text) == text else "zh_hant"
    )


def to_script(text: str, language: Language) -> str:
    """Return a text with its ideographs in the script of a language; English is left alone."""
    if language == "en":
        return text
    converted: str = _converter("s2t" if language == "zh_hant" else "t2s").convert(text)
    return converted


@functools.lru_cache(maxsize=2)
def _converter(direction: str) -> opencc.OpenCC:
    return opencc.OpenCC(direction)


def asks_for_a_thing(question: str) -> bool:
    """Return whether a question wants something named, and cannot be answered by Yes or No."""
    return bool(_ASKS_FOR_A_THING.search(question))


_PATTERN = regex.compile(
    r"""\b(?:what(?:'s|\ is|\ are|\ were)|show|print|repeat|reveal|output|display|give|tell|share|list)\b[^.?!]{0,40}?
        \b(?:your|the)\ (?:system\ |own\ |initial\ |hidden\ |secret\ |original\ )*
        (?:(?<=system\ |initial\ |hidden\ |secret\ |original\ )|(?<=your\ )|(?<=your\ own\ ))
        (?:prompts?|instructions|guidelines)\s*(?:\p{P}|$|verbatim|word\ for\ word|above)
    |^(?:please\ )?(?:ignore|forget|disregard)\ (?:all|any|your|the|previous|above|prior|earlier)\b[^.?!]{0,30}
        \b(?:instructions?|prompts?|rules)\b
    |(?:你|您)的?(?:系統|系统|內部|内部|原始)?(?:提示詞|提示词|提示語|提示语|指令)(?:是|為|为|\p{P}|$)
    |(?:忽略|無視|无视|忘記|忘记)(?:之前|以上|先前|所有)[^。？！]{0,8}(?:指示|指令|提示|規則|规则)""",
    regex.IGNORECASE | regex.VERBOSE,
)


def is_about_own_instructions(message: str) -> bool:
    """Return whether a message is about what the bot was told to do, and not about the documents."""
    return bool(_PATTERN.search(message))
