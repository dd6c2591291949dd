"""What others report about a set, and warnings about its figures: `published.toml`, and tables beside the set."""

from __future__ import annotations

import csv
import functools
import tomllib
from collections.abc import Iterator, Mapping, Set
from fnmatch import fnmatchcase
from importlib.resources import files
from pathlib import Path

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


class _Figures(Record):
    sets: tuple[str, ...]
    source: str
    comparable: str
    systems: dict[str, dict[str, float]]


class _Table(Record):
    sets: tuple[str, ...]
    source: str
    comparable: str
    file: str
    rows: str
    systems: tuple[str, ...]
    columns: dict[str, str]
    percent: bool = False


class _Warning(Record):
    sets: tuple[str, ...]
    about: str = ""
    text: str


class _Published(Record):
    """All of `published.toml`; the fields are explained there."""

    figures: tuple[_Figures, ...]
    tables: tuple[_Table, ...]
    warnings: tuple[_Warning, ...]


def published_figures(name: str, folder: Path | None) -> tuple[PublishedFigure, ...]:
    """Return what others report about a set.

    Args:
        name: Of the set, or of a pool.
        folder: Of the set, to find tables beside it.

    Raises:
        EvaluationError: A table beside the set is not in the shape that `published.toml` gives.
    """
    known = _published()
    figures = [
        PublishedFigure(measure=measure, system=system, value=value, source=one.source, comparable=one.comparable)
        for one in known.figures
        if _matches(name, one.sets)
        for system, values in one.systems.items()
        for measure, value in values.items()
    ]
    if folder is not None:
        tables = [table for table in known.tables if _matches(name, table.sets)]
        figures += [figure for table in tables for figure in _read_table(table, name, folder / table.file)]
    return tuple(figures)


def warnings_about(name: str, scored: Set[str]) -> tuple[str, ...]:
    """Return what to keep in mind about the rows of a set, or the measures of them that were scored."""
    about = (entry for entry in _published().warnings if not entry.about or entry.about in scored)
    return tuple(entry.text for entry in about if _matches(name, entry.sets))


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _read_table(table: _Table, name: str, path: Path) -> Iterator[PublishedFigure]:
    if not path.is_file():
        return
    with path.open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file, delimiter="\t"), start=2):
            try:
                if row[table.rows] == name.rsplit("/", 1)[-1]:
                    yield from _figures_of(table, row)
            except (KeyError, TypeError, ValueError) as error:
                raise EvaluationError(
                    f"{str(path)!r}, line {number}, cannot be read ({error!r}): "
                    "correct the line, or eval/benchmarks/sets/published.toml when the columns have changed."
                ) from error


def _figures_of(table: _Table, row: Mapping[str, str]) -> Iterator[PublishedFigure]:
    for column, measure in table.columns.items():
        yield PublishedFigure(
            measure=measure,
            system=", ".join(row[part] for part in table.systems),
            value=round(float(row[column]) / (100 if table.percent else 1), 4),
            source=table.source,
            comparable=table.comparable,
        )


@functools.lru_cache(maxsize=1)
def _published() -> _Published:
    text = files("eval.benchmarks.sets").joinpath("published.toml").read_text(encoding="utf-8")
    return _Published.model_validate(tomllib.loads(text))
