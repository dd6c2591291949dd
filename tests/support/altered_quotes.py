"""The altered-quote set: true sentences, changed in one way that makes them false, and rewritten in ways that do not.

The changes are plain replacements, written without the code that is to catch them. The sentences come from `seeds/`,
from `altered_quotes_sentences.txt` beside this file, and from the public sets when they lie in the folder that
FOOTNOTE_DATASETS names.

    python -m tests.support.altered_quotes
"""

from __future__ import annotations

import json
import os
import random
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from bot.stages.checking.verification import check_statement
from tests.support.alterations import ALTERATIONS, MONTHS
from tests.support.rewritings import REWRITINGS

_HERE = Path(__file__).parent
DATASETS = ("squad2", "clapnq", "mtrag/clapnq", "mtrag/govt", "lihua_world", "drcd", "covidqa")
# Words alone cannot catch these: every word of them stands in the source. They must not pass without a model.
NEEDS_MODEL = frozenset({"name swapped with another", "claim added, no name", "Chinese name from elsewhere"})


@dataclass(frozen=True)
class Case:
    """A statement beside its source: true, or altered in the way that `kind` names."""

    kind: str
    source: str
    statement: str
    is_true: bool


def own_sentences() -> list[str]:
    """Return the sentences that are always there."""
    lines = (_HERE / "altered_quotes_sentences.txt").read_text(encoding="utf-8").splitlines()
    own = [line for line in lines if line and not line.startswith("#")]
    for path in sorted((_HERE.parent / "seeds").glob("*.txt")):
        own.extend(_sentences(path.read_text(encoding="utf-8")))
    return own


def public_sentences(each: int = 60) -> list[str]:
    """Return sentences of the public sets, the same ones every time; none when the sets are not there."""
    folder = Path(os.environ.get("FOOTNOTE_DATASETS", _HERE.parent.parent / "shared" / "datasets"))
    found: list[str] = []
    for name in DATASETS:
        path = folder / name / "corpus.jsonl"
        if path.exists():
            texts = [json.loads(line)["text"] for line in path.read_text(encoding="utf-8").splitlines()[:4000]]
            sentences = sorted({one for text in texts for one in _sentences(text)})
            found.extend(random.Random(7).sample(sentences, min(each, len(sentences))))
    return found


def _sentences(text: str) -> Iterator[str]:
    for piece in re.split(r"(?<=[a-z\d)][.!?])\s+(?=[A-Z])|\n+|(?<=[。！？])", text):
        words = " ".join(piece.split())
        if 25 <= len(words) <= 300 and words.endswith((".", "。", "!", "?", "！", "？")):
            yield words


def cases(sentences: list[str]) -> Iterator[Case]:
    """Yield every case that can be made from these sentences."""
    chance = random.Random(11)
    ordinary = {word for sentence in sentences for word in re.findall(r"\b[a-z]+\b", sentence)}
    names = {name for sentence in sentences for name in _names(sentence)}
    names = sorted(name for name in names if not {word.lower() for word in name.split()} & ordinary)
    for sentence in sentences:
        for kind, change in ALTERATIONS.items():
            for altered in change(sentence):
                if altered != sentence:
                    yield Case(kind, sentence, altered, is_true=False)
        yield from _changed_names(sentence, names, chance)
        for kind, change in REWRITINGS.items():
            for rewritten in change(sentence):
                yield Case(kind, sentence, rewritten, is_true=True)


_NAME = re.compile(r"(?<![.!?:;“\"(] )(?<!^)\b[A-Z][a-z]{2,}(?: [A-Z][a-z]{2,})*\b")
_ELSEWHERE = ("Zoltan Barker", "Wilhelmina Frost", "Quito", "Ulrika")


def _names(sentence: str) -> list[str]:
    return [name for name in _NAME.findall(sentence) if not set(name.split()) & {*MONTHS, "The", "This"}
            and not name.endswith("day")]  # fmt: skip


def _changed_names(sentence: str, names: list[str], chance: random.Random) -> Iterator[Case]:
    own = list(dict.fromkeys(_names(sentence)))
    for one, other in pairwise(own):
        if one in other or other in one:
            continue
        swapped = sentence.replace(one, "\0").replace(other, one).replace("\0", other)
        yield Case("name swapped with another", sentence, swapped, is_true=False)
    for name in own[:2]:
        strangers = [*_ELSEWHERE, *chance.sample(names, min(3, len(names)))]
        stranger = next(
            one
            for one in chance.sample(strangers, len(strangers))
            if not set(one.split()) & set(re.findall(r"\w+", sentence))
        )
        yield Case("name from elsewhere", sentence, sentence.replace(name, stranger), is_true=False)


def believer(statement: str, sources: object) -> float:
    """Say yes to everything: the worst model there could be."""
    del statement, sources
    return 100.0


def measure(made: list[Case]) -> dict[str, tuple[int, int, int, list[Case]]]:
    """Return for each kind: n, right by words alone, right with a model that always says yes, and the wrong ones.

    For a true kind "right" is passed, for an altered one not passed.
    """
    rows: dict[str, list[tuple[bool, bool, Case]]] = defaultdict(list)
    for case in made:
        verdict = check_statement(case.statement, [case.source], support_odds=believer)
        alone, fooled = verdict.passed and verdict.by == "words", verdict.passed
        rows[case.kind].append((alone == case.is_true, fooled == case.is_true, case))
    return {
        kind: (
            len(row),
            sum(alone for alone, _, _ in row),
            sum(fooled for _, fooled, _ in row),
            [case for alone, fooled, case in row if not (alone and (fooled or kind in NEEDS_MODEL))],
        )
        for kind, row in rows.items()
    }


def main() -> None:
    """Print the table."""
    for title, sentences in (("always there", own_sentences()), ("public sets", public_sentences())):
        made = list(cases(sentences))
        print(f"{title}: {len(sentences)} sentences")  # noqa: T201
        print(f"{'kind':32} {'n':>6} {'words':>6} {'yes-sayer':>9}")  # noqa: T201
        for kind, (n, alone, fooled, wrong) in sorted(
            measure(made).items(), key=lambda row: (row[0] in REWRITINGS, row[0])
        ):
            print(f"{kind:32} {n:6} {alone:6} {fooled:9}{'  (true)' if kind in REWRITINGS else ''}")  # noqa: T201
            for case in wrong[: int(os.environ.get("SHOWN", "0"))]:
                verdict = check_statement(case.statement, [case.source])
                print(f"      {case.source}\n   -> {case.statement}\n      {verdict.problems}")  # noqa: T201


if __name__ == "__main__":
    main()
