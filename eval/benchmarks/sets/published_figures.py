"""What others report about a set, and warnings about its figures: `published.toml`, and tables beside the set."""

from __future__ import annotations

import csv
import functools
import tomllib
from collections.abc import Iterator, Mapping, Set
from fnmatch import fnmatchcase
from importlib.resources import files
from pathlib import Path
from typing import Any

from eval.errors import EvaluationError
from eval.report.json_file import Record


class PublishedFigure(Record):
    """One figure that others published.

    Attributes:
        measure: Our name of the measure.
        system: What was measured.
        source: Authors, year, where.
        comparable: What differs from our measurement.
    """

    measure: str
    system: str
    value: float
    source: str
    comparable: str


def published_figures(name: str, folder: Path | None) -> tuple[PublishedFigure, ...]:
    """Return what others report about a set.

    Args:
        name: Of the set, or of a pool.
        folder: Of the set, to find tables beside it.

    Raises:
        EvaluationError: A table beside the set is not in the shape that `published.toml` gives.
    """
    figures = [
        PublishedFigure(measure=measure, system=system, value=value, source=one["source"], comparable=one["comparable"])
        for one in _entries("figures", name)
        for system, values in one["systems"].items()
        for measure, value in values.items()
    ]
    if folder is not None:
        for table in _entries("tables", name):
            figures += _read_table(table, name, folder / table["file"])
    return tuple(figures)


def warnings_about(name: str, scored: Set[str]) -> tuple[str, ...]:
    """Return what to keep in mind about the rows of a set, or the measures of them that were scored."""
    return tuple(one["text"] for one in _entries("warnings", name) if one.get("about") in {None, *scored})


def _entries(kind: str, name: str) -> list[dict[str, Any]]:
    """Return the entries of `published.toml`, which explains their fields, that are about a set."""
    return [one for one in _published()[kind] if any(fnmatchcase(name, pattern) for pattern in one["sets"])]


@functools.lru_cache(maxsize=1)
def _published() -> dict[str, Any]:
    return tomllib.loads(files("eval.benchmarks.sets").joinpath("published.toml").read_text(encoding="utf-8"))


def _read_table(table: Mapping[str, Any], name: str, path: Path) -> Iterator[PublishedFigure]:
    if not path.is_file():
        return
    with path.open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file, delimiter="\t"), start=2):
            try:
                if row[table["rows"]] != name.rsplit("/", 1)[-1]:
                    continue
                for column, measure in table["columns"].items():
                    yield PublishedFigure(
                        measure=measure,
                        system=", ".join(row[part] for part in table["systems"]),
                        value=round(float(row[column]) / (100 if table.get("percent") else 1), 4),
                        source=table["source"],
                        comparable=table["comparable"],
                    )
            except (KeyError, TypeError, ValueError) as error:
                raise EvaluationError(
                    f"{str(path)!r}, line {number}, cannot be read ({error!r}): "
                    "correct the line, or eval/benchmarks/sets/published.toml when the columns have changed."
                ) from error
