"""What docs/deployment promises of its files: no root, read-only programs, private servers, settings that exist."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.settings import Settings

FOLDER = Path(__file__).parent.parent.parent / "docs" / "deployment"
COMPOSE = sorted(FOLDER.glob("*.yaml"))
UNITS = sorted(FOLDER.glob("*.service"))


def services(path: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load(path.read_text())["services"]
    return found


@pytest.mark.parametrize("path", COMPOSE, ids=lambda path: path.stem)
def test_no_service_is_root_or_can_change_its_program(path: Path) -> None:
    for name, service in services(path).items():
        assert int(service["user"].split(":")[0]) > 0, name
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name


@pytest.mark.parametrize("path", COMPOSE, ids=lambda path: path.stem)
def test_only_the_page_is_reached_from_outside_and_only_by_loopback(path: Path) -> None:
    for name, service in services(path).items():
        ports = service.get("ports", [])
        assert name in ("web", "proxy") or not ports
        assert all(port.startswith("127.0.0.1:") for port in ports)
        if name in ("postgresql", "chroma", "model"):
            assert service["networks"] == ["inside"]


def test_chroma_is_the_version_that_is_pinned() -> None:
    pinned = re.search(r'"chromadb==([\d.]+)"', (FOLDER.parent.parent / "pyproject.toml").read_text())
    assert pinned is not None
    assert services(FOLDER / "three-machines.yaml")["chroma"]["image"] == f"chromadb/chroma:{pinned[1]}"


@pytest.mark.parametrize("path", sorted(FOLDER.iterdir()), ids=lambda path: path.name)
def test_every_setting_exists(path: Path) -> None:
    for name in re.findall(r"FOOTNOTE_([A-Z_]+)", path.read_text()):
        assert name.lower() in Settings.model_fields, name


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_units_are_confined(path: Path) -> None:
    unit = path.read_text()
    user = re.search(r"^User=(.+)$", unit, re.MULTILINE)
    assert user is not None
    assert user[1] != "root"
    for line in ("ProtectSystem=strict", "NoNewPrivileges=yes", "CapabilityBoundingSet=", "LimitFSIZE=64G"):
        assert f"\n{line}\n" in unit


def test_every_file_is_spoken_of() -> None:
    page = (FOLDER.parent / "deployment.md").read_text()
    for path in FOLDER.iterdir():
        assert f"deployment/{path.name}" in page, path.name
