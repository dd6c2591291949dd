"""The date a document states of itself, from the ways that formats write it."""

from __future__ import annotations

import datetime
import re

_DATE = re.compile(r"\s*(?:D:)?(\d{4})-?(\d{2})-?(\d{2})")


def parse_date(written: str | None) -> datetime.date | None:
    """Return the date at the start of `2024-05-01T09:30:00Z`, `20240501` or `D:20240501093000`, or None."""
    match = _DATE.match(written or "")
    try:
        return datetime.date(*map(int, match.groups())) if match else None
    except ValueError:
        return None
