"""A site of somebody else: the demo page of `docs/widget/`, served from an origin of its own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

DEMO = Path(__file__).parent.parent.parent / "docs" / "widget" / "demo.html"
_NAMED_IN_THE_DEMO = "http://127.0.0.1:7860"


class OtherSite:
    """Shows the demo page around whatever is at `footnote`.

    Attributes:
        origin: Where it is.
        footnote: Where Footnote is; to be set before the page is asked for.
    """

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.footnote = ""


@contextmanager
def other_site() -> Iterator[OtherSite]:
    """Serve it on a free port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    site = OtherSite(f"http://127.0.0.1:{server.server_port}")
    _Handler.site = site
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    site: OtherSite

    def do_GET(self) -> None:
        body = DEMO.read_text("utf-8").replace(_NAMED_IN_THE_DEMO, self.site.footnote).encode()
        self.send_response(200 if self.path == "/" else 404)
        self.send_header("content-type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(body if self.path == "/" else b"")

    def log_message(self, *_: object) -> None:
        pass
