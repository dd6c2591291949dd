"""No rule of the application was written for one document: it uses no rare word of the seed documents or of a data set.

A word is rare when it is always written with a capital and hardly any document of the public sets holds it: the names
of what a document is about. Titles of the sets' documents stand for what a rule written for a set would name.
"""

from __future__ import annotations

import ast
import json
import os
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import regex

ROOT = Path(__file__).parent.parent.parent
DATASETS = Path(os.environ.get("FOOTNOTE_DATASETS", ROOT.parent / "shared" / "datasets"))
FOLDERS = ("bot", "index", "prompts")
_RARE = 3  # documents of the public sets that may hold a rare word
# No file suffix (".eml") and no beginning of a pattern ("ris(?:e|ing)").
_WORD = regex.compile(r"(?<![.\p{L}])\p{Latin}{3,}(?![\p{L}(\[])")


def _words(text: str) -> set[str]:
    return {word.casefold() for word in _WORD.findall(text)}


def _in_lower_case(text: str) -> set[str]:
    return {word for word in _WORD.findall(text) if word.islower()}


def _strings(path: Path) -> Iterator[str]:
    """Yield the strings that a file computes with: no docstrings, no comments."""
    if path.suffix == ".py":
        tree = ast.parse(path.read_text(encoding="utf-8"))
        docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        yield from (
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings
        )
    elif path.suffix == ".toml":
        yield from _leaves(tomllib.loads(path.read_text(encoding="utf-8")))


def _leaves(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, one in value.items():
            yield str(key)
            yield from _leaves(one)
    elif isinstance(value, list):
        for one in value:
            yield from _leaves(one)
    elif isinstance(value, str):
        yield value


def _rows() -> Iterator[dict[str, str]]:
    for path in sorted(DATASETS.rglob("corpus.jsonl")):
        if "train" in path.parts:
            continue
        with path.open(encoding="utf-8") as lines:
            yield from map(json.loads, lines)


@pytest.fixture(scope="module")
def rare_words() -> set[str]:
    """Return the words of the seeds, and of the titles of the sets, that hardly any document of the sets holds."""
    if not DATASETS.exists():
        pytest.skip(f"no public sets in {str(DATASETS)!r}")
    named, ordinary = set[str](), set[str]()
    for path in (ROOT / "seeds").glob("*.txt"):
        text = path.read_text(encoding="utf-8")
        named |= _words(text)
        ordinary |= _in_lower_case(text)
    held: Counter[str] = Counter()
    for row in _rows():
        named |= _words(row.get("title", ""))
        ordinary |= _in_lower_case(row.get("title", "")) | _in_lower_case(row["text"])
        held.update(_words(row["text"]))
    return {word for word in named - ordinary if held[word] <= _RARE}


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_rare_word_of_a_document_stands_in_the_code(folder: str, rare_words: set[str]) -> None:
    found = {
        (word, path.relative_to(ROOT).as_posix())
        for path in sorted((ROOT / folder).rglob("*"))
        if "static" not in path.parts and "texts" not in path.parts
        for string in _strings(path)
        for word in _words(string) & rare_words
    }
    assert sorted(found) == []
