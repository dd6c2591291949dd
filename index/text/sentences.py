"""Sentences of a text, as spans.

English and its neighbours are split by the Punkt model (Kiss and Strunk, 2006, "Unsupervised Multilingual Sentence
Boundary Detection") from the copy that llama-index carries, so nothing is fetched; Chinese and Japanese by their own
full stops; headings, list items and table rows by their line ends.
"""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import regex

from index.document import Span

if TYPE_CHECKING:
    from nltk.tokenize.punkt import PunktSentenceTokenizer

_ROOT = "nltk"
_lock = threading.Lock()


@functools.lru_cache(maxsize=1)
def load_punkt() -> PunktSentenceTokenizer:
    """Return the tokenizer, which finds the sentences of English and its neighbours. Loaded once."""
    with _lock, _modules_alone():
        from nltk.tokenize.punkt import PunktSentenceTokenizer, load_punkt_params

        return PunktSentenceTokenizer(load_punkt_params(_ModelFolder()))


class _ModelFolder:
    """The folder of the model, as NLTK reads from one."""

    def __init__(self) -> None:
        # The package is found, not imported: it takes seconds, too.
        self._folder = _folder("llama_index.core") / "_static" / "nltk_cache" / "tokenizers" / "punkt_tab" / "english"

    def join(self, name: str) -> Path:
        """Return the path of one of its files."""
        return self._folder / name


@contextmanager
def _modules_alone() -> Iterator[None]:
    """Let modules of NLTK be imported while the code of the packages around them is not run.

    `import nltk` loads scipy and scikit-learn, too: two seconds and a hundred megabytes for seven small modules.
    Afterwards none of them is known to Python any more, so that a later `import nltk` gets all of it.
    """
    if _ROOT in sys.modules:  # all of it is there already
        yield
        return
    folder = _folder(_ROOT)
    for name, place in ((_ROOT, folder), (f"{_ROOT}.tokenize", folder / "tokenize")):
        package = ModuleType(name)
        package.__path__ = [str(place)]
        sys.modules[name] = package
    try:
        yield
    finally:
        for name in [name for name in sys.modules if name == _ROOT or name.startswith(f"{_ROOT}.")]:
            del sys.modules[name]


def _folder(package: str) -> Path:
    found = find_spec(package)
    assert found is not None, f"the package {package} is not installed"
    assert found.origin is not None
    return Path(found.origin).parent


_IDEOGRAPHIC_STOP = regex.compile(r"[。！？；]+[」』”’）]*")
# Abbreviations that stand before a number or an example; Punkt takes their point for the end.
_OPEN_ABBREVIATION = regex.compile(
    r"\b(?:No|Nos|Fig|Eq|Art|Sec|pp|cf|ca|approx|e\.g|i\.e|vs|viz)\.\s*$", regex.IGNORECASE
)
# A picture in Markdown; Punkt takes its "!" for the end.
_PICTURE = regex.compile(r"!\[[^\]\n]*\]\(")
_LINE = regex.compile(r"[^\n]+")
_NEW_ITEM = regex.compile(r"\s*(?:[-*•·–]\s|\(?\d{1,3}[.)]\s|\|)")


def is_hard_wrapped(text: str) -> bool:
    """Return whether line ends fall at a column width, as in old plain text, rather than at paragraphs."""
    lengths = [len(line) for line in text.split("\n") if line.strip()]
    if len(lengths) < 4:
        return False
    filled = sum(50 <= length <= 100 for length in lengths)
    return max(lengths) <= 110 and filled >= 0.5 * len(lengths)


def split_sentences(text: str, *, hard_wrapped: bool | None = None) -> list[Span]:
    """Return the sentence spans of a text, in order, without surrounding white space; they never overlap.

    Args:
        text: Any text.
        hard_wrapped: Whether a single line end is only a column break; found out from the text when None.
    """
    wrapped = is_hard_wrapped(text) if hard_wrapped is None else hard_wrapped
    spans: list[Span] = []
    for block in _blocks(text, wrapped=wrapped):
        spans.extend(_split_block(text, block))
    return spans


def _blocks(text: str, *, wrapped: bool) -> list[Span]:
    """Return runs of lines that read as one piece of prose."""
    lines = [Span(*match.span()) for match in _LINE.finditer(text)]
    if not wrapped:
        return lines
    blocks: list[Span] = []
    for line in lines:
        continues = (
            blocks
            and text[blocks[-1].end : line.start] == "\n"
            and not _NEW_ITEM.match(line.of(text))
            and _last_line_length(text, blocks[-1]) >= 40
        )
        if continues:
            blocks[-1] = Span(blocks[-1].start, line.end)
        else:
            blocks.append(line)
    return blocks


def _last_line_length(text: str, block: Span) -> int:
    return block.end - (text.rfind("\n", block.start, block.end) + 1 or block.start)


def _goes_on(words: str, start: int) -> bool:
    """Return whether what Punkt takes for the start of a sentence goes on with one."""
    before = max(0, start - 12)
    return bool(_OPEN_ABBREVIATION.search(words, before, start) or _PICTURE.match(words, max(0, start - 1)))


def _split_block(text: str, block: Span) -> list[Span]:
    words = block.of(text)
    cuts = {0, len(words)}
    starts = (start for start, _ in load_punkt().span_tokenize(words))
    cuts.update(start for start in starts if not _goes_on(words, start))
    cuts.update(match.end() for match in _IDEOGRAPHIC_STOP.finditer(words))
    found = []
    for start, end in pairwise(sorted(cuts)):
        piece = words[start:end]
        stripped = piece.strip()
        if stripped:
            lead = len(piece) - len(piece.lstrip())
            found.append(Span(start + lead, start + lead + len(stripped)).shift(block.start))
    return found
