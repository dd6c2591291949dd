"""Templates of the evaluator's page to responses, with the strictest policy they can live under."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import HTMLResponse

import bot.web
from bot.web.reader import theme_for
from eval.html.page import build_environment
from eval.html.words import MEASURES
from eval.table import number

_HERE = Path(__file__).parent
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
# Nothing of these pages is left behind in a browser that others use too.
_NO_STORE = {"cache-control": "no-store"}
_CHAT_STATIC = Path(str(bot.web.__file__)).parent / "static"
_STATIC = {
    "desk.css": ("text/css", (_HERE.parent / "html" / "static" / "report.css", _HERE / "static" / "desk.css")),
    "desk.js": ("text/javascript", (_HERE / "static" / "desk.js",)),
}


def show(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """Return a page."""
    page = _environment().get_template(template).render(theme=theme_for(request), **values)
    return HTMLResponse(page, status, {"content-security-policy": _POLICY, **_NO_STORE})


def show_whole(page: str, policy: str) -> HTMLResponse:
    """Return a page that was rendered elsewhere and brings its own policy."""
    return HTMLResponse(page, headers={"content-security-policy": f"{policy}; frame-ancestors 'none'", **_NO_STORE})


@cache
def static_file(name: str) -> tuple[str, str] | None:
    """Return the media type and the text of one of our own files, or None."""
    if name not in _STATIC:
        return None
    media_type, paths = _STATIC[name]
    return media_type, "".join(path.read_text("utf-8") for path in paths)


@cache
def _environment() -> Environment:
    environment = build_environment(_HERE / "templates")
    environment.globals.update(measure_words=MEASURES)
    environment.filters.update(signed=_signed, chance=_chance)
    return environment


def _signed(value: float | None, name: str) -> str:
    text = number(name, value)
    return text if value is None or value < 0 else f"+{text}"


def _chance(p_value: float | None) -> str:
    """Return a p-value as it is printed."""
    if p_value is None:
        return ""
    return "<.001" if p_value < 0.001 else f"{p_value:.3f}"
