"""A small OpenAI-compatible chat server that does what a script says, faults included.

Behaviours:
    answer          the reply, streamed word by word, or with log-probabilities when asked for them
    slow            like answer, but the words come far apart
    hang            nothing at all comes
    hang midway     one word comes, then nothing
    cut             one word comes, then the connection breaks
    unfinished      some words come and the stream ends without saying why
    error           status 500
    html            a page, status 200
    garbage         an event that is no JSON
    shape           JSON of another shape
    empty           a reply without words
    endless         a reply that does not stop at the limit
    refuse logprobs status 400 when log-probabilities are asked for, else the reply
    few logprobs    status 400 when more than five are asked for
    too long        status 400, whatever is asked
    no logprobs     the reply without what was asked for
    unauthorized    status 401 that repeats the key
"""

from __future__ import annotations

import json
import math
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class ModelServer(ThreadingHTTPServer):
    """Set `behaviour`, or a `script` of behaviours that are used up one request at a time.

    Attributes:
        requests: The bodies that came in.
        open_requests: How many are being answered.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behaviour = "answer"
        self.script: list[str] = []
        self.reply = "Yes it is so."
        self.probabilities = {"Yes": 0.9, " yes": 0.05, "No": 0.01}
        self.pause = 0.2
        self.requests: list[dict[str, Any]] = []
        self.open_requests = 0
        self.lock = threading.Lock()
        self.closing = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep quiet about clients that hang up."""

    def next_behaviour(self) -> str:
        with self.lock:
            return self.script.pop(0) if self.script else self.behaviour


@contextmanager
def model_server() -> Iterator[ModelServer]:
    """Run a server until the block ends."""
    server = ModelServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        server.shutdown()
        server.server_close()
        thread.join(5)


def unused_url() -> str:
    """Return an address where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/v1"


class _Handler(BaseHTTPRequestHandler):
    server: ModelServer
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the name is the library's
        """Keep the test output quiet."""

    def do_GET(self) -> None:
        self._send(b'{"object": "list", "data": []}')

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            self.server.requests.append(body)
            self.server.open_requests += 1
        try:
            with suppress(OSError):
                self._behave(self.server.next_behaviour(), body)
        finally:
            with self.server.lock:
                self.server.open_requests -= 1

    def _behave(self, behaviour: str, body: dict[str, Any]) -> None:
        wanted = body.get("top_logprobs", 0) if body.get("logprobs") else 0
        if behaviour == "hang":
            self._wait_for_the_client_to_leave()
        elif behaviour == "error":
            self._send(b'{"error": {"message": "out of memory"}}', status=500)
        elif behaviour == "unauthorized":
            self._send(json.dumps({"error": {"message": self.headers["Authorization"]}}).encode(), status=401)
        elif behaviour == "too long":
            self._send(b'{"error": {"message": "the request exceeds the context"}}', status=400)
        elif behaviour == "html":
            self._send(b"<html><body>Welcome to the hotel network</body></html>", kind="text/html")
        elif behaviour == "shape":
            self._send(b'{"choices": null}')
        elif (behaviour == "refuse logprobs" and wanted) or (behaviour == "few logprobs" and wanted > 5):
            self._send(b'{"error": {"message": "no log-probabilities"}}', status=400)
        elif body.get("stream"):
            self._stream(behaviour)
        elif behaviour == "garbage":
            self._send(b"\x00\xffnothing of use")
        else:
            self._send(self._completion(behaviour, wanted if behaviour not in ("no logprobs", "empty") else 0))

    def _completion(self, behaviour: str, wanted: int) -> bytes:
        reply = "" if behaviour == "empty" else self.server.reply
        choice: dict[str, Any] = {"index": 0, "finish_reason": "length"}
        choice["message"] = {"role": "assistant", "content": reply}
        if wanted:
            top = [
                {"token": token, "logprob": math.log(p), "bytes": None}
                for token, p in self.server.probabilities.items()
            ]
            choice["logprobs"] = {"content": [{**top[0], "top_logprobs": top[:wanted]}]}
        return json.dumps(
            {"id": "1", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice]}
        ).encode()

    def _stream(self, behaviour: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self._event(_chunk(role="assistant", content=""))
        if behaviour == "garbage":
            self._event("{not json at all")
        words = [] if behaviour == "empty" else self.server.reply.split()
        while behaviour == "endless":
            self._event(_chunk(content="more "))
        for number, word in enumerate(words):
            self._event(_chunk(content=word if number == 0 else f" {word}"))
            if behaviour == "hang midway":
                self._wait_for_the_client_to_leave()
                return
            if behaviour == "cut":
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            if behaviour == "slow":
                self.server.closing.wait(self.server.pause)
        if behaviour != "unfinished":
            self._event(_chunk(finish="stop"))
            self._event("[DONE]")
        self.wfile.write(b"0\r\n\r\n")

    def _event(self, data: str) -> None:
        line = f"data: {data}\n\n".encode()
        self.wfile.write(f"{len(line):x}\r\n".encode() + line + b"\r\n")
        self.wfile.flush()

    def _send(self, content: bytes, *, status: int = 200, kind: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _wait_for_the_client_to_leave(self) -> None:
        self.connection.settimeout(0.02)
        while not self.server.closing.is_set():
            try:
                if not self.connection.recv(1):
                    break
            except TimeoutError:
                continue
            except OSError:
                break
        self.close_connection = True


def _chunk(*, finish: str | None = None, **delta: str) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return json.dumps(
        {"id": "1", "object": "chat.completion.chunk", "created": int(time.time()), "model": "m", "choices": [choice]}
    )
