"""Punkt loaded without NLTK cuts as NLTK's own does, and leaves NLTK as it was."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from index.text.sentences import load_punkt

ROOT = Path(__file__).parent.parent.parent


def test_it_cuts_as_the_tokenizer_of_nltk_does() -> None:
    ours = load_punkt()
    import nltk.data
    from nltk.tokenize.punkt import PunktTokenizer

    nltk.data.path.append(str(Path(find_spec("llama_index.core").origin).parent / "_static" / "nltk_cache"))
    theirs = PunktTokenizer("english")
    for path in (*sorted((ROOT / "seeds").iterdir()), ROOT / "README.md", ROOT / "docs" / "benchmarks.md"):
        text = path.read_text(encoding="utf-8")
        spans = list(ours.span_tokenize(text))
        assert len(spans) > 5
        assert spans == list(theirs.span_tokenize(text))


def test_it_loads_little_and_the_rest_of_nltk_can_be_imported_afterwards() -> None:
    program = """
import sys
from index.text.sentences import load_punkt
print(list(load_punkt().span_tokenize("Dr. Chan came. He left.")))
print(sorted({"nltk", "scipy", "sklearn", "pandas"} & set(sys.modules)))
from nltk.metrics.agreement import AnnotationTask
print(AnnotationTask(data=[("a", 1, "x"), ("b", 1, "x")]).avg_Ao())
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[(0, 14), (15, 23)]", "[]", "1.0"]
