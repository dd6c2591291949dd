"""What became of the files that were to be indexed."""

from __future__ import annotations

from collections import Counter

from bot.doctor.finding import Check
from index.catalogue import Catalogue

_SHOWN = 3


def check_files(catalogue: Catalogue) -> Check:
    """Count the files by state, and name the first that failed."""
    records = catalogue.files.records()
    counts = Counter(record.state for record in records)
    message = ", ".join(f"{count} {state}" for state, count in sorted(counts.items())) or "none has been seen yet"
    failed = [f"{record.source} {record.reason}" for record in records if record.state == "failed"]
    if not failed:
        return Check(name="files", state="ok", message=message)
    more = f"; {len(failed) - _SHOWN} more" if len(failed) > _SHOWN else ""
    message += f" ({'; '.join(failed[:_SHOWN])}{more}): mend or exclude them, see `footnote index --status`"
    return Check(name="files", state="warning", message=message)
