"""All checks, in the order in which things build on each other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from bot.operations.doctor.finding import Check
from bot.operations.doctor.index_checks import (
    check_chroma_server,
    check_database,
    check_files,
    check_generation,
    check_vectors,
    has_database,
)
from bot.operations.doctor.machine_checks import (
    check_disk,
    check_libraries,
    check_permissions,
    check_port,
    check_versions,
)
from bot.operations.doctor.model_checks import check_embedding_model, check_language_model
from bot.settings import Settings
from index.errors import FootnoteError
from index.store.catalogue import Catalogue


def examine(settings: Settings, *, deep: bool = False) -> Iterator[Check]:
    """Yield the findings about this installation and its data folder; only tables of an older version are changed.

    Args:
        settings: What to examine.
        deep: Hash the language model's weights too, a gigabyte.
    """
    yield from check_versions()
    yield check_libraries()
    yield check_embedding_model(settings)
    yield check_language_model(settings, deep=deep)
    yield check_disk(settings.data_dir)
    yield from check_permissions(settings.data_dir)
    yield from _check_index(settings)
    yield check_port(settings.host, settings.port)


def _check_index(settings: Settings) -> Iterator[Check]:
    if not has_database(settings):
        yield Check(name="index", state="warning", message="nothing is indexed yet: run `footnote index FOLDER`")
        return
    try:
        catalogue = Catalogue(settings.catalogue_url())
    except FootnoteError as error:
        yield Check(name="database", state="failed", message=str(error))
        return
    with closing(catalogue):
        database = check_database(catalogue)
        yield database
        if database.state == "ok":
            generation = check_generation(settings, catalogue)
            yield generation
            if generation.state == "ok":
                yield check_vectors(settings, catalogue)
            yield from check_chroma_server(settings, catalogue)
            yield check_files(catalogue)
