"""One spelling for characters that are written several ways, without moving any of them.

What in a text can be true or false and is checked by words.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from tomllib import loads
from typing import Any, Literal

import regex

from index.document import Span
from index.text.words import simplify

_PLAIN = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {
    0x3000: " ", 0x00A0: " ", 0x2019: "'", 0x2018: "'", 0x2212: "-", 0x2010: "-", 0x2011: "-",
    # Kept: these end clauses, and their ASCII neighbours do not.
    0xFF0C: "，", 0xFF1B: "；", 0xFF01: "！", 0xFF1F: "？",
}  # fmt: skip
_IDEOGRAPHS = regex.compile(r"\p{Han}+")
_LETTER = regex.compile(r"\p{L}")


@functools.lru_cache(maxsize=4096)
def normalise(text: str) -> str:
    """Return text of the same length with narrow digits and letters, plain apostrophes and simplified ideographs."""
    return _IDEOGRAPHS.sub(lambda run: simplify(run.group()), text.translate(_PLAIN))


def mask(text: str, spans: Iterable[Span]) -> str:
    """Return text of the same length with these places blanked out."""
    characters = list(text)
    for span in spans:
        characters[span.start : span.end] = "\0" * len(span)
    return "".join(characters)


def is_ideographic(text: str) -> bool:
    """Return whether over a third of the letters are ideographs: names in Latin letters stand in Chinese text too."""
    letters = len(_LETTER.findall(text))
    return sum(len(run) for run in _IDEOGRAPHS.findall(text)) > letters / 3


@functools.lru_cache(maxsize=16)
def read_table(name: str) -> Mapping[str, Any]:
    """Return one of this package's word tables."""
    return loads(files("bot.text").joinpath("data", f"{name}.toml").read_text(encoding="utf-8"))


FactKind = Literal["number", "date", "time", "name", "negation", "lost negation", "comparison", "lost comparison"]


@dataclass(frozen=True, slots=True)
class Fact:
    """One checkable thing.

    Attributes:
        kind: What sort of thing it is; a "lost" one is what the sources say and the statement leaves out.
        text: As written where it stands (a lost one as the sources write it).
        span: Place in the statement; for a lost one the word that lost it.
    """

    kind: FactKind
    text: str
    span: Span

    def problem(self) -> str:
        """Return in plain words what is wrong when the sources do not state this fact."""
        if self.kind.startswith("lost"):
            return f"the cited sentences say {self.text!r}, which is left out"
        if self.kind in {"negation", "comparison"}:
            return f"{self.text!r} is not in the cited sentences"
        return f"the {self.kind} {self.text} is not in the cited sentences"
