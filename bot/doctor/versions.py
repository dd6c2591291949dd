"""Python, Footnote, and whether the libraries are those it was made with."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version

from packaging.requirements import Requirement

from bot.doctor.finding import Check

_DISTRIBUTION = "footnote-chat"
_SHOWN = 3


def check_versions() -> Iterator[Check]:
    """Yield the versions of Python and of Footnote."""
    found = ".".join(str(part) for part in sys.version_info[:3])
    if sys.version_info[:2] == (3, 11):
        yield Check(name="python", state="ok", message=found)
    else:
        yield Check(name="python", state="failed", message=f"{found}: Footnote needs Python 3.11, install that")
    yield Check(name="footnote", state="ok", message=version(_DISTRIBUTION))


def check_libraries() -> Check:
    """Compare what is installed with what this Footnote requires."""
    required = [Requirement(line) for line in requires(_DISTRIBUTION) or ()]
    needed = [one for one in required if one.marker is None or one.marker.evaluate({"extra": ""})]
    wrong = [problem for problem in map(_problem, needed) if problem]
    if not wrong:
        return Check(name="libraries", state="ok", message=f"all {len(needed)} as required")
    more = f" and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
    message = f"{'; '.join(wrong[:_SHOWN])}{more}: run `make setup` again"
    return Check(name="libraries", state="failed", message=message)


def _problem(requirement: Requirement) -> str:
    try:
        found = version(requirement.name)
    except PackageNotFoundError:
        return f"{requirement.name} is missing"
    if requirement.specifier.contains(found, prereleases=True):
        return ""
    return f"{requirement.name} is {found}, not {requirement.specifier}"
