"""The Punkt model of English sentences, without the rest of NLTK.

Kiss and Strunk, 2006, "Unsupervised Multilingual Sentence Boundary Detection", in the copy that llama-index carries, so
nothing is fetched. `import nltk` loads all of NLTK, scipy and scikit-learn: two seconds and a hundred megabytes, for a
tokenizer that needs seven small modules.
"""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nltk.tokenize.punkt import PunktSentenceTokenizer

_ROOT = "nltk"
_lock = threading.Lock()


@functools.lru_cache(maxsize=1)
def load_punkt() -> PunktSentenceTokenizer:
    """Return the tokenizer, which finds the sentences of English and its neighbours. Loaded once."""
    with _lock, _modules_alone():
        from nltk.tokenize.punkt import PunktSentenceTokenizer, load_punkt_params  # noqa: PLC0415

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
