"""Faults in the reader's language.

Errors speak English wherever they are raised, for the terminal, the logs and programs. On these pages their sentence is
looked up in `faults.toml` of the language, by the English one with names for what varies.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from bot.web.language import Texts
from bot.web.staff.texts import STAFF_TEXTS

_PART = "faults."
_VARIES = re.compile(r"\\\{(\w+)\\\}")


@dataclass(frozen=True, slots=True)
class Fault:
    """What did not work.

    Attributes:
        language: Of the words, as a tag; English where there is no other.
    """

    words: str
    language: str


def fault_in(t: Texts, english: str) -> Fault:
    """Return a fault in the language of some texts, where they hold it."""
    for sentence, words in _sentences(t.code):
        if found := sentence.fullmatch(english):
            return Fault(words.format(**found.groupdict()), t.code)
    return Fault(english, "en")


@cache
def _sentences(code: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    kept = STAFF_TEXTS[code].entries.items()
    return tuple(
        (re.compile(_VARIES.sub(r"(?P<\1>.+)", re.escape(key.removeprefix(_PART))), re.DOTALL), words)
        for key, words in kept
        if key.startswith(_PART)
    )
