"""The words of the staff's pages: a folder a language, a file a part; `t("review.title")` is `title` of review.toml."""

from __future__ import annotations

import tomllib
from pathlib import Path

from bot.web.language import LANGUAGES, Texts

_HERE = Path(__file__).parent


def _read(folder: Path) -> dict[str, str]:
    return {
        f"{path.stem}.{key}": words
        for path in sorted(folder.glob("*.toml"))
        for key, words in tomllib.loads(path.read_text("utf-8")).items()
    }


def _load() -> dict[str, Texts]:
    own = {code: _read(_HERE / code.lower().replace("-", "_")) for code in LANGUAGES}
    return {code: Texts(code, {**public.entries, **own[code]}) for code, public in LANGUAGES.items()}


STAFF_TEXTS = _load()
