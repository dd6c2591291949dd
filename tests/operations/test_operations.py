"""What operators see: metrics, traces, logs, health; and that none of it holds what a reader asked."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from bot.answer.errors import ServeError
from bot.chatbot import Chatbot
from bot.operations.logs import escape_controls
from bot.operations.metrics import Metrics, Traces, open_traces
from bot.storage.answers import AnswerRecords
from bot.web.app import build_app
from bot.web.http_server import open_port
from tests.browser.scripted import ScriptedChatbot

CANARY = "How much did Xylographica Zebedee pay?"


def samples(metrics: Metrics) -> dict[tuple[str, ...], float]:
    """Return the value of each metric, by its name and labels."""
    with open_port("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    with metrics.served(f"127.0.0.1:{port}"):
        text = httpx.get(f"http://127.0.0.1:{port}/metrics").text
    assert "Xylographica" not in text
    found = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {(one.name, *sorted(one.labels.values())): one.value for one in found}


@pytest.fixture
def observed(seed_data: Path, open_chatbot: Callable[..., Chatbot]) -> tuple[Chatbot, Metrics, InMemorySpanExporter]:
    chatbot, metrics, spans = open_chatbot(seed_data), Metrics(), InMemorySpanExporter()
    traces = Traces(spans, "test")

    def on_answer(answer, stages) -> None:
        metrics.answered(answer)
        traces.answered(answer, stages)
        traces.close()

    return Chatbot(**vars_of(chatbot), on_answer=on_answer), metrics, spans


def vars_of(chatbot: Chatbot) -> dict:
    """Return what a chatbot was made of, to make another of it."""
    return {
        "settings": chatbot.settings,
        "catalogue": chatbot._catalogue,
        "retriever": chatbot._retriever,
        "embedder": chatbot._embedder,
        "calibration": chatbot._calibration,
        "version": "test",
    }


def test_an_answer_is_counted_and_traced_by_its_stages_without_its_words(
    observed: tuple[Chatbot, Metrics, InMemorySpanExporter],
) -> None:
    chatbot, metrics, exporter = observed
    answer = chatbot.ask(CANARY)
    values = samples(metrics)
    reason = answer.refusal.reason if answer.refusal else ""
    assert values["footnote_answers_total", *sorted((answer.kind, reason, "extractive"))] == 1
    assert values["footnote_stage_seconds_count", "retrieve"] == 1
    assert values["footnote_answer_seconds_sum", answer.kind] == pytest.approx(answer.timings_ms["total"] / 1000)
    spans = exporter.get_finished_spans()
    whole = next(span for span in spans if span.name == "answer")
    parts = [span for span in spans if span is not whole]
    assert {span.name for span in parts} >= {"condense", "retrieve", "select", "judge"}
    assert all(span.parent.span_id == whole.context.span_id for span in parts)
    assert all(whole.start_time <= span.start_time <= span.end_time <= whole.end_time for span in parts)
    assert "Xylographica" not in " ".join(span.to_json() for span in spans)


def test_traces_go_nowhere_unless_a_collector_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    assert open_traces("test") is None
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4317")
    traces = open_traces("test", InMemorySpanExporter)
    assert traces is not None
    traces.close()


@pytest.mark.parametrize("address", ["9464", "127.0.0.1", "127.0.0.1:99999", "192.0.2.1:9464"])
def test_an_address_for_metrics_that_cannot_be_used_is_one_line(address: str) -> None:
    with pytest.raises(ServeError, match="metrics_address"), Metrics().served(address):
        pass


def test_health_and_readiness_are_told_without_details(tmp_path: Path) -> None:
    metrics = Metrics()
    with closing(AnswerRecords(f"sqlite:///{tmp_path / 'footnote.db'}")) as records:
        app = build_app(ScriptedChatbot(), records, metrics=metrics)
        with TestClient(app) as client:
            assert client.get("/healthz").json() == {"process": "ok"}
            client.get("/config")  # waits until Gradio is there
            ready = client.get("/readyz")
            assert (ready.status_code, ready.json()) == (200, {"index": "ok", "page": "ok"})
            assert client.get("/metrics").status_code == 404
        with TestClient(build_app(ScriptedChatbot(empty=True), records)) as client:
            assert client.get("/readyz").status_code == 503
            assert client.get("/readyz").json()["index"] == "empty"
    values = samples(metrics)
    assert values["footnote_responses_total", "200"] >= 3
    assert values["footnote_responses_total", "404"] == 1
    assert values["footnote_index_ready",] == 1
    assert values["footnote_questions_waiting",] == values["footnote_questions_under_way",] == 0


def test_what_acts_on_a_terminal_is_escaped() -> None:
    assert (
        escape_controls("a\x1b[31mb\r\x00\u202ec\u2028d\tätz 渡輪")
        == "a\\u001b[31mb\\u000d\\u0000\\u202ec\\u2028d\tätz 渡輪"
    )


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_log_entry_is_one_entry_whatever_is_in_it(form: str) -> None:
    script = (
        "import logging; from bot.operations.logs import set_up_logs\n"
        f"set_up_logs({form!r}, 'info')\n"
        "logging.getLogger('bot.web').info('asked %s', 'x\\n2026-01-01 ERROR bot forged\\x1b[2J')\n"
        "logging.getLogger('other').info('their own words')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert "\x1b" not in done.stderr
    assert "their own words" not in done.stderr
    lines = done.stderr.splitlines()
    if form == "json":
        assert len(lines) == 1
        assert json.loads(lines[0])["message"].startswith("asked x\n2026")
    else:
        assert [line[0] == " " for line in lines] == [False, True]
    assert logging.getLogger("bot").level == logging.NOTSET  # of this process
