"""Static files of the page, compressed once and cached by browsers for as long as they are the same.

Starlette's own static files have neither Brotli nor addresses that change with the content. Only the files that were in
the folder when it was opened have an address, so no path leads out of it.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from functools import cache, cached_property
from pathlib import Path

import brotli
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

_COMPRESSED = (".js", ".css", ".svg", ".json", ".html", ".txt", ".map")
_SMALLEST = 300  # bytes; below this a compressed file is hardly smaller
_QUALITY = 9  # of Brotli's 11, of which the last two take ten times as long


class StaticFolder:
    """Serves the files of a folder.

    Args:
        folder: The folder.
        named_by_content: Whether a bundler put a hash of the content into the file names. Otherwise `version` goes
            before the name: browsers keep addresses below it for a year, and imports between the files stay below it.
    """

    def __init__(self, folder: Path, *, named_by_content: bool = False) -> None:
        self._paths = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
        self._named_by_content = named_by_content

    @cached_property
    def version(self) -> str:
        """A hash of all files together, twelve characters long."""
        digest = hashlib.sha256()
        for name, path in sorted(self._paths.items()):
            digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
        return digest.hexdigest()[:12]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request for a file."""
        name = scope["path"].removeprefix(scope.get("root_path", "")).lstrip("/")
        immutable = self._named_by_content
        if not immutable and name.startswith(f"{self.version}/"):
            name, immutable = name.removeprefix(f"{self.version}/"), True
        response: Response = PlainTextResponse("Not found", 404)
        if name in self._paths:
            response = self.serve(name, Headers(scope=scope), immutable=immutable)
        await response(scope, receive, send)

    def serve(self, name: str, request_headers: Headers, *, immutable: bool = False) -> Response:
        """Return a file of the folder, which must exist; `immutable` says that its address changes with its content."""
        accepted = {part.strip().partition(";")[0] for part in request_headers.get("accept-encoding", "").split(",")}
        encoding = next((one for one in ("br", "gzip") if one in accepted), "") if name.endswith(_COMPRESSED) else ""
        body, encoding, tag = _read(self._paths[name], encoding)
        caching = "public, max-age=31536000, immutable" if immutable else "no-cache"
        headers = {"cache-control": caching, "etag": tag, "vary": "accept-encoding"}
        if request_headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        if encoding:
            headers["content-encoding"] = encoding
        media_type = "text/javascript" if name.endswith(".js") else mimetypes.guess_type(name)[0]
        return Response(body, media_type=media_type or "application/octet-stream", headers=headers)


@cache
def _read(path: Path, encoding: str) -> tuple[bytes, str, str]:
    """Return a file's content in an encoding, the encoding that was worth it, and the entity tag."""
    body = path.read_bytes()
    tag = f'"{hashlib.sha256(body).hexdigest()[:16]}{encoding}"'
    if len(body) < _SMALLEST or not encoding:
        return body, "", tag
    return (
        (brotli.compress(body, quality=_QUALITY) if encoding == "br" else gzip.compress(body, mtime=0)),
        encoding,
        tag,
    )
