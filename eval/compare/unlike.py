"""In what two runs differ besides their answers: suites, settings, prompts, code and machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from eval.compare.comparison import Unlike
from eval.report import RunReport


def find_unlike(a: RunReport, b: RunReport) -> tuple[Unlike, ...]:
    """Return every key whose value differs; whoever reads the comparison must know."""
    return tuple(
        Unlike(key=key, a=before.get(key), b=after.get(key))
        for before, after in zip(_parts(a), _parts(b), strict=True)
        for key in sorted(before.keys() | after.keys())
        if before.get(key) != after.get(key)
    )


def _parts(report: RunReport) -> Iterator[Mapping[str, Any]]:
    yield {f"suite {suite.name}": suite.hash for suite in report.suites}
    yield {f"settings.{name}": value for name, value in report.settings.items()}
    yield _provenance(report)
    yield {"index_fingerprint": report.index_fingerprint, "repeats": report.repeats}
    origin = report.origin
    yield {"code.commit": origin.commit, "code.uncommitted changes": origin.dirty}
    yield {f"version of {name}": version for name, version in origin.versions.items()}
    yield {"machine": f"{origin.platform}, {origin.processors} processors"}


def _provenance(report: RunReport) -> dict[str, str]:
    """Return what the answers say they were made with; several values where they were not made alike."""
    provenance = [question.answer.provenance for question in report.questions if question.answer]
    found: dict[str, str] = {}
    for name in ("prompts_hash", "version", "embedding_model", "answerer", "language_model"):
        values = {str(value) for one in provenance if (value := getattr(one, name)) is not None}
        if values:
            found[name] = " and ".join(sorted(values))
    return found
