"""W8: no package with a known hole is installed without a note that says why it does not reach us."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parent.parent.parent
ADVISORIES = tomllib.loads((ROOT / "docs" / "advisories.toml").read_text("utf-8"))["advisory"]


def locked() -> dict[str, Version]:
    lines = (ROOT / "requirements.lock").read_text("utf-8").splitlines()
    found = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(one.name): Version(next(iter(one.specifier)).version) for one in found}


def unanswered(lock: dict[str, Version]) -> list[str]:
    """Return the advisories that reach a locked version and have no note."""
    return [
        f"{one['package']} {lock[one['package']]}: {one['id']}"
        for one in ADVISORIES
        if one["package"] in lock
        and lock[one["package"]] in SpecifierSet(one["affected"])
        and not one.get("note", "").strip()
    ]


def test_every_known_hole_is_mended_or_has_a_note() -> None:
    assert unanswered(locked()) == []


@pytest.mark.parametrize(("package", "version"), [("starlette", "1.3.0"), ("gradio", "6.5.1"), ("pypdf", "6.16.0")])
def test_an_older_version_would_be_noticed(package: str, version: str) -> None:
    assert unanswered({**locked(), package: Version(version)})


def test_the_note_about_chroma_is_there() -> None:
    notes = [one for one in ADVISORIES if one["package"] == "chromadb" and one.get("note")]
    assert {one["id"].split()[0] for one in notes} == {"CVE-2026-45829", "CVE-2026-45833"}
