"""Health checks: each says what it found and what to do. The worst one decides the exit code."""

from __future__ import annotations

import shutil
import socket
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from bot.errors import SettingsError
from bot.language_model.weights import cache_folder, find_weights
from bot.settings import Settings
from index.catalogue import Catalogue
from index.embedding.model_folder import find_model
from index.errors import FootnoteError
from index.generation import problem_of

_NEEDED_BYTES = 500_000_000


class Check(BaseModel):
    """One finding."""

    model_config = ConfigDict(frozen=True)

    name: str
    state: Literal["ok", "warning", "failed"]
    message: str


def examine(settings: Settings) -> Iterator[Check]:
    """Yield the findings about this installation and its data folder; nothing is changed but an empty folder made."""
    yield _python()
    yield Check(name="footnote", state="ok", message=version("footnote-chat"))
    yield _embedding_model(settings)
    yield _language_model(settings)
    yield _disk(settings.data_dir)
    yield from _index(settings)
    yield _port(settings)


def _python() -> Check:
    found = ".".join(str(part) for part in sys.version_info[:3])
    state: Literal["ok", "failed"] = "ok" if sys.version_info[:2] == (3, 11) else "failed"
    return Check(name="python", state=state, message=found if state == "ok" else f"{found}: Footnote needs Python 3.11")


def _embedding_model(settings: Settings) -> Check:
    try:
        folder = find_model(settings.embedding_model)
    except FootnoteError as error:
        return Check(name="embedding model", state="failed", message=str(error))
    return Check(name="embedding model", state="ok", message=f"{settings.embedding_model} ({folder.name})")


def _language_model(settings: Settings) -> Check:
    """Missing weights are a warning: answers are then extractive, and say so."""
    if settings.answerer == "extractive":
        return Check(name="language model", state="ok", message="none: the answerer is extractive")
    try:
        if settings.answerer == "local":
            path = find_weights(cache_folder(settings.model_cache), settings.gguf)
            return Check(name="language model", state="ok", message=str(path))
        from bot.language_model.remote import ask_who_is_there, remote_url  # noqa: PLC0415  # takes seconds to import

        where = f"{settings.remote_model!r} at {remote_url(settings)}"
        problem = ask_who_is_there(settings)
    except SettingsError as error:
        return Check(name="language model", state="failed", message=str(error))
    except FootnoteError as error:
        return Check(name="language model", state="warning", message=str(error))
    if problem:
        message = f"{where} {problem}: check the server, FOOTNOTE_REMOTE_URL and FOOTNOTE_REMOTE_KEY"
        return Check(name="language model", state="warning", message=message)
    return Check(name="language model", state="ok", message=where)


def _disk(data_dir: Path) -> Check:
    existing = next(folder for folder in (data_dir.absolute(), *data_dir.absolute().parents) if folder.exists())
    free = shutil.disk_usage(existing).free
    message = f"{free / 1e9:.1f} GB free for {str(data_dir)!r}"
    if free < _NEEDED_BYTES:
        return Check(name="disk", state="warning", message=f"{message}: free some, or choose another --data-dir")
    return Check(name="disk", state="ok", message=message)


def _index(settings: Settings) -> Iterator[Check]:
    if not settings.database_url and not (settings.data_dir / "footnote.db").exists():
        yield Check(name="index", state="warning", message="nothing is indexed yet: run `footnote index FOLDER`")
        return
    try:
        catalogue = Catalogue(settings.catalogue_url())
    except FootnoteError as error:
        yield Check(name="database", state="failed", message=str(error))
        return
    yield Check(name="database", state="ok", message="opens")
    name = catalogue.property("generation")
    if not name:
        yield Check(name="index", state="warning", message="nothing is indexed yet: run `footnote index FOLDER`")
        return
    problem = problem_of(settings.data_dir, name, catalogue.property("fingerprint"))
    if problem:
        message = f"generation {name} is damaged or missing ({problem}): run `footnote index` to build it again"
        yield Check(name="index", state="failed", message=message)
        return
    documents, chunks = len(catalogue.summaries()), catalogue.count_chunks()
    yield Check(name="index", state="ok", message=f"generation {name}, {documents} documents, {chunks} chunks")


def _port(settings: Settings) -> Check:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            reason = error.strerror or str(error)
            message = f"{settings.host}:{settings.port} cannot be used ({reason}): choose another with --port"
            return Check(name="port", state="warning", message=message)
    return Check(name="port", state="ok", message=f"{settings.host}:{settings.port} is free")
