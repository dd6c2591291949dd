"""One door per library, and nothing global: what import-linter cannot say."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
DOORS = {
    # The speed of the llama-index starter is measured with its own parts, Chroma among them.
    "chromadb": {"index/search/vectors.py", "eval/benchmarks/speed_contenders.py"},
    "sentence_transformers": {"index/embedding/sentence_transformer.py"},
    "openvino": {
        "bot/language_model/runtime.py",
        "index/embedding/convert.py",
        "index/embedding/openvino_encoder.py",
    },
    "openvino_genai": {"bot/language_model/converted.py", "bot/language_model/runtime.py"},
    "llama_index": {
        "bot/programs/llama_index.py",
        "eval/benchmarks/sets/starter.py",
        "eval/benchmarks/speed_contenders.py",
        "index/sync/splitter.py",
    },
    "openai": {"bot/language_model/remote.py"},
    "alembic": {"index/store/migration.py", "index/store/migrations/env.py"},
    "mcp": {"bot/programs/mcp.py"},
    "psycopg": {"index/store/database.py"},
    "authlib": {"bot/web/staff/openid.py"},
    "argon2": {"bot/staff/accounts.py"},
    "ray": {"index/embedding/ray_embedder.py"},
    "opencc": {"index/text/words.py", "bot/stages/question/clean.py"},
}


def imports() -> Iterator[tuple[str, str]]:
    for package in ("bot", "index", "eval", "prompts"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
                for name in names:
                    yield path.relative_to(ROOT).as_posix(), name


@pytest.mark.parametrize("library", DOORS)
def test_a_library_has_one_door(library: str) -> None:
    users = {path for path, name in imports() if name.split(".")[0] == library}
    users = {path for path in users if "/migrations/versions/" not in path}  # each new one is Alembic's
    assert users == DOORS[library]


def test_gradio_and_the_server_stay_in_the_web_part() -> None:
    users = {path for path, name in imports() if name.split(".")[0] in ("gradio", "uvicorn")}
    assert users
    assert all(path.startswith("bot/web/") for path in users)


def test_fastapi_stays_in_the_web_part_and_the_evaluators_page() -> None:
    users = {path for path, name in imports() if name.split(".")[0] in ("fastapi", "starlette")}
    assert users
    assert all(path.startswith(("bot/web/", "bot/operations/", "eval/desk/")) for path in users)
