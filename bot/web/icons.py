"""Line drawings of the page, as inline SVG in the colour of the text around them."""

from __future__ import annotations

from markupsafe import Markup

_PATHS = {
    "menu": "M4 7h16M4 12h16M4 17h10",
    "close": "M6 6l12 12M18 6L6 18",
    "theme": "M12 3a9 9 0 1 0 0 18zM12 3a9 9 0 0 1 0 18",
    "plus": "M12 5v14M5 12h14",
    "tick": "M5 12.5l4.5 4.5L19 7",
    "up": "M7 11v9H4v-9zM7 11l4-8c1.7 0 2.6 1 2.4 2.6L13 9h5.5c1.4 0 2.3 1.2 2 2.5l-1.6 6.7c-.3 1.1-1.2 1.8-2.3 1.8H7",
    "down": "M7 13V4H4v9zM7 13l4 8c1.7 0 2.6-1 2.4-2.6L13 15h5.5c1.4 0 2.3-1.2 2-2.5l-1.6-6.7C18.6 4.7 17.7 4 16.6 4H7",
    "copy": "M9 9h11v11H9zM15 9V4H4v11h5",
    "edit": "M4 20l1-4L16 5l3 3L8 19zM14 7l3 3",
    "remove": "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13M10.5 11v5M13.5 11v5",
    "open": "M9 5H5v14h14v-4M13 5h6v6M19 5l-9 9",
    "link": "M10 14a4 4 0 0 0 5.7 0l3-3A4 4 0 0 0 13 5.3L11.5 6.8M14 10a4 4 0 0 0-5.7 0l-3 3A4 4 0 0 0 11 18.7l1.5-1.5",
    "previous": "M15 5l-7 7 7 7",
    "next": "M9 5l7 7-7 7",
}


def icon(name: str) -> Markup:
    """Return a drawing by name; it says nothing to a screen reader, its button does."""
    return Markup(
        '<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d="{}"/></svg>'
    ).format(_PATHS[name])
