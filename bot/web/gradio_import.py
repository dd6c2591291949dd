"""Imports Gradio without what it does only for editors.

Every import of Gradio parses the source of its components and writes type stubs beside it (`gradio.component_meta`).
That is half of the seconds an import takes, and nobody who serves a page reads them.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType
from typing import Any

_WRITER = "gradio.component_meta"


def import_gradio() -> Any:
    """Return the package `gradio`, imported without writing stubs where this is its first import."""
    finder = _WithoutStubs()
    sys.meta_path.insert(0, finder)
    try:
        import gradio  # noqa: PLC0415  # seconds, in which the page is shown already
    finally:
        sys.meta_path.remove(finder)
    return gradio


class _WithoutStubs(MetaPathFinder):
    """Finds the module that writes stubs, and no other."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != _WRITER:
            return None
        found = PathFinder.find_spec(fullname, path, target)
        if found is not None and isinstance(found.loader, SourceFileLoader):
            found.loader = _Loader(found.loader.name, found.loader.path)
        return found


class _Loader(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        vars(module)["create_or_modify_pyi"] = lambda *_: None
