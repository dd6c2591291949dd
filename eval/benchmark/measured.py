"""What answers depend on, so that answers of one version are never taken for those of another."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from bot.settings import Settings
from eval.errors import EvaluationError

Measured = Mapping[str, Any]

# Settings that say where things are, or who may use them, and change no answer.
_NO_PART_OF_IT = frozenset({"data_dir", "database_url", "documents", "host", "port"})
_SECRETS = ("_key", "_password", "_secret")
# Rooms of the chatbot that no question of a benchmark walks through.
_NOT_ON_THE_PATH = frozenset({"web", "cli", "__pycache__"})


def describe_chatbot(settings: Settings, embedding_model: str) -> dict[str, Any]:
    """Return what the chatbot's answers depend on besides the documents and the question.

    The version alone does not change while somebody works on the code, so the code itself is hashed.
    """
    chosen = settings.model_dump(mode="json", exclude=set(_NO_PART_OF_IT))
    return {
        "answerer": settings.answerer,
        "version": version("footnote-chat"),
        "code": hash_files(files("bot"), files("index")),
        "prompts": hash_files(files("prompts")),
        "calibration": hash_files(files("bot").joinpath("calibration.json")),
        "embedding_model": embedding_model,
        "settings": {name: value for name, value in chosen.items() if not name.endswith(_SECRETS)},
    }


def fingerprint(measured: Measured) -> str:
    """Return a hash of what is measured."""
    return hashlib.sha256(json.dumps(measured, sort_keys=True).encode()).hexdigest()[:12]


def hash_corpus(path: Path) -> str:
    """Return a hash of a corpus file.

    Raises:
        EvaluationError: It cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:16]
    except OSError as error:
        raise EvaluationError(f"The corpus {str(path)!r} cannot be read ({error.strerror}).") from error


def hash_files(*roots: Traversable) -> str:
    """Return a hash of the names and contents of files, those of folders included."""
    digest = hashlib.sha256()
    for name, file in sorted((pair for root in roots for pair in _files(root, root.name)), key=lambda pair: pair[0]):
        content = file.read_bytes()
        digest.update(f"{name}:{len(content)}:".encode())
        digest.update(content)
    return digest.hexdigest()[:16]


def _files(place: Traversable, name: str) -> Iterator[tuple[str, Traversable]]:
    if place.is_file():
        yield name, place
        return
    for entry in place.iterdir():
        if entry.name not in _NOT_ON_THE_PATH:
            yield from _files(entry, f"{name}/{entry.name}")
