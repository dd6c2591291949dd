"""The fence around what documents say in a prompt: a line of letters before and after, which no passage holds.

A passage that closed its own fence would speak in our place. So the letters are drawn for each question, and again
where the passages hold them (Hines et al., 2024, "Defending Against Indirect Prompt Injection Attacks With
Spotlighting", arXiv 2403.14720). It makes a model less likely to obey; what the model wrote is checked all the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

# No vowels: no word of a language. Few, because each costs a slow machine a moment.
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
_LENGTH = 6


@dataclass(frozen=True, slots=True)
class Fence:
    """The fences of one question.

    The same seed makes the same fence, so that a server that keeps the state of a shared beginning need not read the
    passages again, and so that a measured answer can be made again.

    Attributes:
        seed: What nobody who writes a document knows: a secret, the question, the state of the index.
    """

    seed: str

    def around(self, text: str) -> str:
        """Return the text between two lines that stand nowhere in it."""
        mark = next(mark for mark in self._marks() if mark not in text.upper())
        return f"{mark}\n{text}\n{mark}"

    def _marks(self) -> Iterator[str]:
        for number in count():
            digest = hashlib.sha256(f"{number}:{self.seed}".encode("utf-8", "surrogatepass")).digest()
            yield "".join(_LETTERS[byte % len(_LETTERS)] for byte in digest[:_LENGTH])
