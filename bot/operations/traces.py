"""OpenTelemetry traces: one span an answer with one below it for each stage, sent where the OTEL_ variables say.

https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import set_span_in_context

from bot.answer import Answer
from bot.inquiry import Stage

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

    def answered(self, answer: Answer, stages: Sequence[Stage]) -> None:
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
    return Traces((exporter or _grpc_exporter)(), version)


def _grpc_exporter() -> SpanExporter:
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter  # noqa: PLC0415  # brings gRPC

    return OTLPSpanExporter()
