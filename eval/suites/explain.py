"""What is wrong with an entry of a suite, one sentence for each key, in the words of the format."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ValidationError

from eval.suites.golden import EarlierTurn, EvidenceItem, GoldenQuestion, Quote
from eval.suites.located import Located

_EVIDENCE_FORM = "- any_of: [{document_id: …, quote: …}]"

KeyPath = tuple[str | int, ...]


def explain(entry: Located, error: ValidationError) -> Iterator[tuple[KeyPath, str]]:
    """Turn pydantic's errors into one sentence for each key, in the words of the format."""
    for detail in error.errors(include_url=False, include_context=True):
        key: KeyPath = detail["loc"]
        item = entry.find(key[:2])
        if key[:1] == ("evidence",) and len(key) >= 2 and isinstance(item.value, dict) and "any_of" not in item.value:
            # One sentence instead of one for every key that a bare {document_id, quote} has too many.
            yield key[:2], f"an evidence item lists its quotes below any_of: write {_EVIDENCE_FORM}"
        elif detail["type"] != "too_short" or not entry.find(key).value:  # pydantic drops wrong entries, then counts
            here = entry.find(key)
            yield key, here.hint or _sentence(entry, key, detail["type"], detail.get("ctx", {}))


def _sentence(entry: Located, key: KeyPath, kind: str, context: dict[str, Any]) -> str:
    located = entry.find(key)
    shape = "a mapping" if isinstance(located.value, dict) else "a list" if located.value else "nothing"
    written = located.written
    sentences = {
        "missing": "this key is missing: add it",
        "extra_forbidden": _unknown_key(key),
        "string_pattern_mismatch": "this is empty: write some text or remove it",
        "too_short": "this list is empty: write at least one entry or remove it",
        "string_type": f"{written} is not text here: put it in quotes"
        if written
        else f"{shape} is not text: write some",
        "literal_error": f"{written} is no role: write user or assistant",
        "bool_type": f"{written or shape} is neither true nor false: write one of them, without quotes",
        "greater_than_equal": f"{written} is too small: write {context.get('ge')} or more, or null for no limit",
        "int_type": f"{written or shape} is not a whole number: write one without quotes, or null for no limit",
        "tuple_type": _list_needed(key),
        "model_type": f"write a mapping here: {_mapping_form(key)}",
    }
    return sentences.get(kind, f"this cannot be used ({kind.replace('_', ' ')})")


def _unknown_key(key: KeyPath) -> str:
    known = list(_model_at(key[:-1]).model_fields)
    near = difflib.get_close_matches(str(key[-1]).lower(), known, n=1)
    return f"unknown key; did you mean {near[0]!r}?" if near else f"unknown key; the keys here are {', '.join(known)}"


def _model_at(key: KeyPath) -> type[BaseModel]:
    if not key:
        return GoldenQuestion
    return EarlierTurn if key[0] == "history" else Quote if "any_of" in key else EvidenceItem


def _list_needed(key: KeyPath) -> str:
    if key[0] == "expect":
        return 'expect is a list of groups, each a list of phrases: write [["1 billion", "1bn"]]'
    if key[0] == "evidence":
        return f"write a list of evidence items: {_EVIDENCE_FORM}"
    form = "[{role: user, content: …}]" if key[0] == "history" else "[one, two]"
    return f"write a list here, such as {form}, or [] for none"


def _mapping_form(key: KeyPath) -> str:
    forms = {
        EarlierTurn: "{role: user, content: …}",
        Quote: "{document_id: …, quote: …}",
        EvidenceItem: _EVIDENCE_FORM[2:],
    }
    return forms[_model_at(key)]


def name_key(entry: Located, key: KeyPath) -> str:
    """Return how the file names a key of an entry, such as `evidence[0].any_of[1].quote`; in a sheet maybe a column."""
    written = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in key).lstrip(".")
    return entry.find(key).column or written
