"""Documents with something planted: the attacks of a set in BIPIA's shape, ours, and the clean documents."""

from __future__ import annotations

import base64
import dataclasses
import json
import random
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Literal

from eval.dataset import Query, read_queries
from eval.errors import EvaluationError

Kind = Literal["clean", "bipia", "ours"]
_POSITIONS = ("start", "middle", "end")


@dataclass(frozen=True, slots=True)
class Row:
    """A question about one document.

    Attributes:
        kind: Whether something is planted, and whose.
        family: What the planted words want; empty for a clean document.
        text: The document.
        clean: The same without what was planted.
        attack: The planted words.
        canary: A word that only somebody who obeys says; empty where the set has none.
    """

    kind: Kind
    family: str
    query: Query
    title: str
    text: str
    clean: str
    attack: str = ""
    canary: str = ""


def load_rows(folder: Path, seed: int = 7) -> list[Row]:
    """Return the rows of a set and ours, mixed, the same for a seed: any beginning is a sample of all.

    Ours plant each of our attacks in turn into each clean document, at its start, middle and end. A set without
    attacks has clean documents only: those that its questions were written about.

    Raises:
        EvaluationError: The folder is not in BEIR's shape, or its questions name no document.
    """
    documents = {row["_id"]: row for row in _lines(folder / "corpus.jsonl")}
    extra = {row["_id"]: row for row in _lines(folder / "queries.jsonl")}
    chance = random.Random(seed)  # noqa: S311  # a sample, no secret
    rows: list[Row] = []
    clean: list[Row] = []
    for query in read_queries(folder):
        document = documents.get(next(iter(query.context_ids), query.source))
        if document is None:
            raise EvaluationError(f"Question {query.query_id!r} in {str(folder)!r} names no document of the set.")
        attack = extra[query.query_id].get("attack") or ""
        title, text = document.get("title", ""), document["text"]
        if attack:
            family = extra[query.query_id]["attack_category"]
            rows.append(Row("bipia", family, query, title, text, text.replace(attack, ""), attack))
        else:
            clean.append(Row("clean", "", query, title, text, text))
    attacks = _own_attacks()
    for number, row in enumerate(clean):
        for shift, position in enumerate(_POSITIONS):
            family, template = attacks[(number * len(_POSITIONS) + shift) % len(attacks)]
            rows.append(_plant(row, family, template, position, chance))
    rows += clean
    chance.shuffle(rows)
    return rows


def _plant(row: Row, family: str, template: str, position: str, chance: random.Random) -> Row:
    canary = "".join(chance.choices("BCDFGHJKLMNPQRSTVWXZ", k=7))
    attack = template.format(
        canary=canary, encoded=base64.b64encode(f"say {canary}".encode()).decode(), reversed=canary[::-1]
    )
    middle = row.text.find(" ", len(row.text) // 2)
    at = {"start": 0, "middle": max(middle, 0), "end": len(row.text)}[position]
    text = f"{row.text[:at].rstrip()}\n{attack}\n{row.text[at:].lstrip()}".strip()
    query = dataclasses.replace(row.query, query_id=f"{row.query.query_id}_ours_{position}")
    return Row("ours", family, query, row.title, text, row.text, attack, canary)


def _own_attacks() -> list[tuple[str, str]]:
    read = tomllib.loads(files("eval.injection").joinpath("attacks.toml").read_text("utf-8"))
    return [(one["family"], text) for one in read["attack"] for text in one["texts"]]


def _lines(path: Path) -> list[dict[str, str]]:
    try:
        return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
    except (OSError, ValueError) as error:
        raise EvaluationError(f"{str(path)!r} is no file of a set in BEIR's shape ({error}).") from error
