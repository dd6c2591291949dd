"""Prometheus metrics: how much is asked, how it ends, where the time goes, and whether what it needs is there.

Served on a port of its own, so that the public never reaches it. Labels are words of ours, never a reader's.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from wsgiref.simple_server import WSGIServer

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    start_http_server,
)

from bot.answer import Answer
from bot.errors import ServeError

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 90)


class Metrics:
    """The numbers of one process, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        self._answers = Counter(
            "footnote_answers", "Answers given.", ("kind", "reason", "answerer"), registry=self.registry
        )
        self._seconds = Histogram(
            "footnote_answer_seconds", "From question to answer.", ("kind",), buckets=_SECONDS, registry=self.registry
        )
        self._stages = Histogram(
            "footnote_stage_seconds", "Time in each stage of an answer.", ("stage",), buckets=_SECONDS,
            registry=self.registry,
        )  # fmt: skip
        self._responses = Counter("footnote_responses", "HTTP responses.", ("code",), registry=self.registry)

    def answered(self, answer: Answer) -> None:
        """Count an answer."""
        reason = answer.refusal.reason if answer.refusal else ""
        self._answers.labels(answer.kind, reason, answer.provenance.answerer).inc()
        stages = dict(answer.timings_ms)
        self._seconds.labels(answer.kind).observe(stages.pop("total", 0.0) / 1000)
        for stage, milliseconds in stages.items():
            self._stages.labels(stage).observe(milliseconds / 1000)

    def responded(self, code: int) -> None:
        """Count an HTTP response."""
        self._responses.labels(str(code)).inc()

    def watch(self, name: str, description: str, value: Callable[[], float]) -> None:
        """Add a number that is asked for when the metrics are read."""
        Gauge(f"footnote_{name}", description, registry=self.registry).set_function(value)

    @contextmanager
    def served(self, address: str) -> Iterator[None]:
        """Serve the metrics at `host:port` while inside; nowhere when the address is empty.

        Raises:
            ServeError: The address is none, or cannot be listened on.
        """
        if not address:
            yield
            return
        server, thread = self._listen(address)
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def _listen(self, address: str) -> tuple[WSGIServer, threading.Thread]:
        host, _, port = address.rpartition(":")
        if not host or not port.isdecimal() or int(port) > 65_535:
            raise ServeError(f"The setting metrics_address is {address!r}: write host:port, such as 127.0.0.1:9464.")
        try:
            return start_http_server(int(port), host.strip("[]"), registry=self.registry)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise ServeError(
                f"The metrics cannot be served at {address!r} ({reason}): choose another metrics_address."
            ) from error
