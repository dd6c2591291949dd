"""Protocols: what a set asks of whom, and what counts as right. Data, chosen by the set's name."""

from __future__ import annotations

import functools
import tomllib
from fnmatch import fnmatchcase
from importlib.resources import files
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

Comparison = Literal["words", "stems", "none"]


class Protocol(BaseModel):
    """One entry of `protocols.toml`; the fields are explained there."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sets: tuple[str, ...]
    compare: Comparison
    answers: tuple[str, ...] = ("answers",)
    yes_no: bool = False
    parts: str = ""
    corpus: str = "."
    passages: bool = False
    pool: str = ""
    names: dict[str, str] = {}


def find_protocol(folder: Path) -> tuple[str, Protocol]:
    """Return the name of a set and its protocol, from the last parts of its folder's path."""
    for protocol in _protocols():
        for pattern in protocol.sets:
            name = "/".join(folder.absolute().parts[-len(pattern.split("/")) :])
            if fnmatchcase(name, pattern):
                return name, protocol
    raise AssertionError("the last protocol takes every set")


@functools.lru_cache(maxsize=1)
def _protocols() -> tuple[Protocol, ...]:
    text = files("eval.benchmark").joinpath("protocols.toml").read_text(encoding="utf-8")
    return tuple(Protocol.model_validate(entry) for entry in tomllib.loads(text)["protocol"])
