"""Health checks: each says what it found and what to do. The worst finding decides the exit code of the command."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Literal

from packaging.requirements import Requirement

from bot.answer.errors import SettingsError
from bot.language_model import ModelUnavailableError, Prompt
from bot.language_model.converted import converted_folder, describe_runtime, is_whole
from bot.language_model.weights import DEFAULT_WEIGHTS, cache_folder, find_weights, is_verified, known_hash
from bot.settings import Settings
from index.embedding.build import build_embedder
from index.embedding.model_files import find_model, identify, is_compiled
from index.errors import ChromaUnavailableError, FootnoteError
from index.generation import problem_of
from index.generation.manifest import generation_folder, read_manifest
from index.search.chroma_server import CollectionError, chroma_server
from index.store.catalogue import Catalogue

_DISTRIBUTION = "footnote-chat"
_NEEDED_BYTES = 500_000_000
_TIMES_THE_INDEX = 3  # the live generation, the next one, and the database as it grows
_SHOWN = 3
_SERVER_ADVICE = "check the server, FOOTNOTE_REMOTE_URL and FOOTNOTE_REMOTE_KEY"
_BACKUP_ADVICE = "restore a backup with `footnote restore`, or index the folders into a new --data-dir"


@dataclass(frozen=True, slots=True)
class Check:
    """One finding. The message of a warning or a failure ends with what to do."""

    name: str
    state: Literal["ok", "warning", "failed"]
    message: str


def examine(settings: Settings, *, deep: bool = False) -> Iterator[Check]:
    """Yield the findings about this installation and its data folder; only tables of an older version are changed.

    Args:
        settings: What to examine.
        deep: Hash the language model's weights too, a gigabyte.
    """
    yield check_python()
    yield Check("footnote", "ok", version(_DISTRIBUTION))
    yield check_libraries()
    yield check_embedding_model(settings)
    yield check_language_model(settings, deep=deep)
    yield check_disk(settings.data_dir)
    yield from check_permissions(settings.data_dir)
    yield from _check_data(settings)
    yield check_port(settings.host, settings.port)


def _check_data(settings: Settings) -> Iterator[Check]:
    """Yield what is found in the database and the search indexes, as far as they can be opened."""
    if not _has_database(settings):
        yield Check("index", "warning", "nothing is indexed yet: run `footnote index FOLDER`")
        return
    try:
        catalogue = Catalogue(settings.catalogue_url())
    except FootnoteError as error:
        yield Check("database", "failed", str(error))
        return
    with closing(catalogue):
        yield (database := check_database(catalogue))
        if database.state == "ok":
            yield (index := check_index(settings, catalogue))
            if index.state == "ok":
                yield check_vectors(settings, catalogue)
            yield from check_chroma_server(settings, catalogue)
            yield check_files(catalogue)


def check_python() -> Check:
    """Compare the version of Python with the one Footnote is made for."""
    found = ".".join(str(part) for part in sys.version_info[:3])
    wrong = f"{found}: Footnote needs Python 3.11, install that"
    return Check("python", "ok", found) if sys.version_info[:2] == (3, 11) else Check("python", "failed", wrong)


def check_libraries() -> Check:
    """Compare the installed libraries with those that this Footnote requires."""
    required = [Requirement(line) for line in requires(_DISTRIBUTION) or ()]
    needed = [one for one in required if one.marker is None or one.marker.evaluate({"extra": ""})]
    wrong = [problem for problem in map(_problem, needed) if problem]
    if not wrong:
        return Check("libraries", "ok", f"all {len(needed)} as required")
    more = f" and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
    return Check("libraries", "failed", f"{'; '.join(wrong[:_SHOWN])}{more}: run `make setup` again")


def _problem(requirement: Requirement) -> str:
    try:
        found = version(requirement.name)
    except PackageNotFoundError:
        return f"{requirement.name} is missing"
    if requirement.specifier.contains(found, prereleases=True):
        return ""
    return f"{requirement.name} is {found}, not {requirement.specifier}"


def check_embedding_model(settings: Settings) -> Check:
    """Look for the embedding model, and for its compiled form, which is faster."""
    name = "embedding model"
    try:
        folder = find_model(settings.embedding_model)
        model_id = identify(settings.embedding_model, folder)
    except FootnoteError as error:
        return Check(name, "failed", str(error))
    if settings.embedding_runtime == "torch":
        return Check(name, "ok", f"{model_id}, run by PyTorch")
    if is_compiled(model_id, cache_folder(settings.model_cache)):
        return Check(name, "ok", f"{model_id}, compiled")
    message = f"{model_id} is not compiled yet: the first `footnote index` does it, which takes a minute"
    return Check(name, "warning", message)


def check_language_model(settings: Settings, *, deep: bool) -> Check:
    """Look for the weights, or ask the server; without a model answers are extractive, so a warning is enough."""
    name = "language model"
    if settings.answerer == "extractive":
        return Check(name, "ok", "none: the answerer is extractive")
    try:
        if settings.answerer == "remote":
            return _remote_model(settings, name)
        return _local_model(settings, name, deep=deep)
    except SettingsError as error:
        return Check(name, "failed", str(error))
    except FootnoteError as error:
        return Check(name, "warning", str(error))


def _local_model(settings: Settings, name: str, *, deep: bool) -> Check:
    cache = cache_folder(settings.model_cache)
    path = find_weights(cache, settings.gguf)
    runtime = describe_runtime(cache, path)
    verified = ""
    if deep:
        if path == cache / DEFAULT_WEIGHTS.file_name and not is_verified(path, DEFAULT_WEIGHTS):
            message = f"{str(path)!r} has another SHA-256: delete it and run `footnote model fetch`"
            return Check(name, "failed", message)
        if runtime.converted and not is_whole(converted_folder(cache, known_hash(cache, path))):
            return Check(name, "warning", "the converted model is damaged: run `footnote model fetch` to make it again")
        verified = ", its SHA-256 is right"
    return Check(name, "ok" if runtime.converted else "warning", f"{path}{verified}, {runtime}")


def _remote_model(settings: Settings, name: str) -> Check:
    """Ask the server for one word with its probability."""
    from bot.language_model.remote import build_remote_model  # takes a second to import

    model = build_remote_model(settings)
    try:
        model.log_odds(Prompt("Answer Yes or No.", "Is water wet?"))
    except ModelUnavailableError as error:
        return Check(name, "warning", f"{str(error).rpartition(': ')[0]}: {_SERVER_ADVICE}")
    finally:
        model.close()
    where = f"{settings.remote_model!r} at {settings.remote_url}"
    if model.gives_probabilities:
        return Check(name, "ok", f"{where}, with log-probabilities")
    message = (
        f"{where} gives no log-probabilities, so its plain Yes or No is all there is to judge by: choose a server that "
        "does, such as llama.cpp or vLLM"
    )
    return Check(name, "warning", message)


def check_disk(data_dir: Path) -> Check:
    """Compare the free space with what the next generation needs, which is built beside the live one."""
    existing = next(one for one in (data_dir.absolute(), *data_dir.absolute().parents) if os.access(one, os.F_OK))
    free = shutil.disk_usage(existing).free
    size = sum(_size(Path(folder, name)) for folder, _, names in os.walk(data_dir) for name in names)
    needed = max(_NEEDED_BYTES, _TIMES_THE_INDEX * size)
    message = f"{free / 1e9:.1f} GB free for {str(data_dir)!r}, which holds {size / 1e9:.1f} GB"
    if free >= needed:
        return Check("disk", "ok", message)
    message += f": free some, {needed / 1e9:.1f} GB are safe, or move to another --data-dir"
    return Check("disk", "warning", message)


def _size(file: Path) -> int:
    try:
        return file.lstat().st_size
    except OSError:  # removed since it was listed, or unreadable
        return 0


def check_permissions(data_dir: Path) -> Iterator[Check]:
    """Check that we can write the data folder and the database in it, and that nobody else can."""
    name = "permissions"
    if not data_dir.is_dir():
        return
    if not os.access(data_dir, os.R_OK | os.X_OK):
        message = f"{str(data_dir)!r} may not be looked into: be the user whose it is, or name another --data-dir"
        yield Check(name, "failed", message)
        return
    found = [path for path in (data_dir, data_dir / "footnote.db") if path.exists()]
    closed = ", ".join(str(path) for path in found if not os.access(path, os.W_OK))
    open_to_all = ", ".join(str(path) for path in found if path.stat().st_mode & stat.S_IWOTH)
    if closed:
        message = f"{closed} cannot be written: questions are answered, but nothing can be indexed; use chown"
        yield Check(name, "warning", message)
    if open_to_all:
        yield Check(name, "warning", f"everybody on this machine may change {open_to_all}: run chmod o-w on it")
    if not closed and not open_to_all:
        yield Check(name, "ok", f"{str(data_dir)!r} is ours to write")


def check_port(host: str, port: int) -> Check:
    """Try whether the port of the web application is free; while the application runs, it is not."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        reason = error.strerror or str(error)
        message = f"{host}:{port} cannot be used ({reason}): unless Footnote has it, choose another with --port"
        return Check("port", "warning", message)
    return Check("port", "ok", f"{host}:{port} is free")


def _has_database(settings: Settings) -> bool:
    """Return whether there is a database, without making one."""
    if settings.database_url or not os.access(settings.data_dir, os.X_OK):
        # A folder that may not be looked into is taken to hold one.
        return bool(settings.database_url) or settings.data_dir.exists()
    return (settings.data_dir / "footnote.db").exists()


def check_database(catalogue: Catalogue) -> Check:
    """Let the database check itself."""
    if problem := catalogue.find_damage():
        return Check("database", "failed", f"is damaged ({problem}): {_BACKUP_ADVICE}")
    return Check("database", "ok", "opens and is whole")


def check_index(settings: Settings, catalogue: Catalogue) -> Check:
    """Compare the live generation of the search indexes with the database and with the embedding model."""
    generation = catalogue.property("generation")
    if not generation:
        return Check("index", "warning", "nothing is indexed yet: run `footnote index FOLDER`")
    try:
        model = identify(settings.embedding_model, find_model(settings.embedding_model))
    except FootnoteError as error:
        return Check("index", "failed", str(error))
    if problem := problem_of(settings.data_dir, generation, catalogue.property("fingerprint")):
        message = (
            f"generation {generation} is damaged or missing ({problem}): run `footnote index`; `footnote serve` mends "
            "it by itself, and answers from the database meanwhile"
        )
        return Check("index", "failed", message)
    if (made_with := catalogue.property("embedding_model")) != model:
        message = (
            f"generation {generation} was built with {made_with}, not {model}: run `footnote index` again, or set "
            "embedding_model back"
        )
        return Check("index", "failed", message)
    documents, chunks = len(catalogue.summaries()), catalogue.count_chunks()
    if (held := read_manifest(generation_folder(settings.data_dir, generation)).chunks) != chunks:
        message = (
            f"generation {generation} holds {held} chunks, the database {chunks}, so documents are lost: "
            f"{_BACKUP_ADVICE}"
        )
        return Check("index", "failed", message)
    return Check("index", "ok", f"generation {generation}, {documents} documents, {chunks} chunks")


def check_vectors(settings: Settings, catalogue: Catalogue) -> Check:
    """Compare the lengths of the vectors in the database with the embedding model's, which is loaded for it."""
    chunks = catalogue.count_chunks()
    damaged = catalogue.chunk_sets.count_damaged_vectors(build_embedder(settings).dimension)
    if not damaged:
        return Check("vectors", "ok", f"{chunks}, all of the embedding model's length")
    message = f"those of {damaged} of {chunks} chunks in the database are lost or cut short: {_BACKUP_ADVICE}"
    return Check("vectors", "failed", message)


def check_chroma_server(settings: Settings, catalogue: Catalogue) -> Iterator[Check]:
    """Yield what is known of the Chroma server, if one is named; only warnings, since search goes on without it."""
    name, server = "chroma server", chroma_server(settings, catalogue)
    generation = catalogue.property("generation")
    if server is None or not generation:
        return
    with closing(server):
        try:
            held, expected = server.find(generation).chunks, catalogue.count_chunks()
        except ChromaUnavailableError as error:
            yield Check(name, "warning", str(error))
            return
        except CollectionError:
            held, expected = 0, catalogue.count_chunks()
    if held == expected:
        yield Check(name, "ok", f"{settings.chroma_url} has generation {generation}")
    else:
        found = f"{held} of {expected} vectors of generation {generation}"
        yield Check(name, "warning", f"{settings.chroma_url} has {found}: a search sends them")


def check_files(catalogue: Catalogue) -> Check:
    """Count the files by state, and name the first that failed."""
    records = catalogue.files.records()
    counts = Counter(record.state for record in records)
    message = ", ".join(f"{count} {state}" for state, count in sorted(counts.items())) or "none has been seen yet"
    failed = [f"{record.source} {record.reason}" for record in records if record.state == "failed"]
    if not failed:
        return Check("files", "ok", message)
    more = f"; {len(failed) - _SHOWN} more" if len(failed) > _SHOWN else ""
    reasons = f"{'; '.join(failed[:_SHOWN])}{more}"
    return Check("files", "warning", f"{message} ({reasons}): mend or exclude them, see `footnote index --status`")
