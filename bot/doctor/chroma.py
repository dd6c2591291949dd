"""The Chroma server, where one is named: it answers, and has the vectors of the live index."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from bot.doctor.finding import Check
from bot.settings import Settings
from index.catalogue import Catalogue
from index.chroma_server import CollectionError, chroma_server
from index.errors import ChromaUnavailableError

_NAME = "chroma server"


def check_chroma_server(settings: Settings, catalogue: Catalogue) -> Iterator[Check]:
    """Yield what is known of the server; only warnings, since search goes on without it."""
    server = chroma_server(settings, catalogue)
    name = catalogue.property("generation")
    if server is None or not name:
        return
    with closing(server):
        try:
            held, expected = server.find(name).chunks, catalogue.count_chunks()
        except ChromaUnavailableError as error:
            yield Check(name=_NAME, state="warning", message=str(error))
            return
        except CollectionError:
            held, expected = 0, catalogue.count_chunks()
    if held == expected:
        yield Check(name=_NAME, state="ok", message=f"{settings.chroma_url} has generation {name}")
        return
    message = f"{settings.chroma_url} has {held} of {expected} vectors of generation {name}: a search sends them"
    yield Check(name=_NAME, state="warning", message=message)
