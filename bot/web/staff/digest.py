"""The digest: what people asked in vain, as one HTML file that needs no network and prints well."""

from __future__ import annotations

from pathlib import Path

from markupsafe import Markup

from bot.insight.overview import Insights
from bot.web.staff.desk import environment
from bot.web.staff.texts import STAFF_TEXTS

_WEB = Path(__file__).parent.parent
_STYLES = (_WEB / "static" / "type.css", _WEB / "staff/static/desk.css", _WEB / "staff/static/insights.css")


def render_digest(found: Insights) -> str:
    """Return the digest of a stretch of time."""
    style = Markup("\n".join(path.read_text("utf-8") for path in _STYLES))  # noqa: S704  our own style sheets
    return environment.get_template("digest.html").render(t=STAFF_TEXTS["en"], found=found, style=style)
