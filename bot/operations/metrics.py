"""Prometheus metrics, served on a port of their own that the public does not reach, and OpenTelemetry traces.

A trace has one span for an answer and one below it for each stage; it goes where the OTEL_ variables say:
https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
Labels and attributes are names of ours, never words of a reader.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import set_span_in_context
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

from bot.answer.answer import Answer
from bot.answer.errors import ServeError
from bot.answer.timing import StageTime

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


class Traces:
    """Sends the way of each answer through the chatbot to a collector.

    Args:
        exporter: Takes the spans.
        version: Version of Footnote, told with them.
    """

    def __init__(self, exporter: SpanExporter, version: str) -> None:
        resource = Resource.create({"service.name": "footnote", "service.version": version})
        # Of our own, not the global one: nothing else of this process is traced through it.
        self._provider = TracerProvider(resource=resource)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("footnote", version)

    def answered(self, answer: Answer, stages: Sequence[StageTime]) -> None:
        """Send an answer's spans. They carry kinds, counts and times: no question, no answer, no document."""
        if not stages:
            return
        whole = self._tracer.start_span(
            "answer",
            start_time=min(stage.begin for stage in stages),
            attributes={
                "footnote.answer_id": answer.id,
                "footnote.kind": answer.kind,
                "footnote.reason": answer.refusal.reason if answer.refusal else "",
                "footnote.answerer": answer.provenance.answerer,
                "footnote.confidence": answer.confidence,
                "footnote.citations": len(answer.citations),
            },
        )
        for stage in stages:
            part = self._tracer.start_span(stage.name, set_span_in_context(whole), start_time=stage.begin)
            part.end(stage.end)
        whole.end(max(stage.end for stage in stages))

    def close(self) -> None:
        """Send what is left."""
        self._provider.shutdown()


def open_traces(version: str, exporter: Callable[[], SpanExporter] | None = None) -> Traces | None:
    """Return where traces go, or None unless an OTEL_ variable names a collector (gRPC)."""
    if not any(os.environ.get(name) for name in _ENDPOINTS) or os.environ.get("OTEL_SDK_DISABLED") == "true":
        return None
    if exporter is None:
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter  # imports gRPC

        exporter = OTLPSpanExporter
    return Traces(exporter(), version)


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
            ServeError: The address is malformed, or cannot be listened on.
        """
        if not address:
            yield
            return
        host, _, port = address.rpartition(":")
        if not host or not port.isdecimal() or int(port) > 65_535:
            raise ServeError(f"The setting metrics_address is {address!r}: write host:port, such as 127.0.0.1:9464.")
        try:
            server, thread = start_http_server(int(port), host.strip("[]"), registry=self.registry)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise ServeError(
                f"The metrics cannot be served at {address!r} ({reason}): choose another metrics_address."
            ) from error
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


@contextmanager
def observed(metrics: Metrics, address: str) -> Iterator[Callable[[Answer, Sequence[StageTime]], None]]:
    """Serve the metrics at an address, and yield what is to be called with each answer.

    Raises:
        ServeError: The address cannot be used.
    """
    traces = open_traces(version("footnote-chat"))

    def on_answer(answer: Answer, stages: Sequence[StageTime]) -> None:
        metrics.answered(answer)
        if traces is not None:
            traces.answered(answer, stages)

    try:
        with metrics.served(address):
            yield on_answer
    finally:
        if traces is not None:
            traces.close()
