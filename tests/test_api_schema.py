"""The API against its own description: generated requests, valid and not, and what may come back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
import schemathesis
from schemathesis.generation import GenerationMode

from bot.chatbot import Chatbot
from tests.api_server import ApiServer, api_server


@pytest.fixture(scope="module")
def server(seed_chatbot: Chatbot, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    with api_server(seed_chatbot, tmp_path_factory.mktemp("api")) as served:
        yield served


def call_everything(server: ApiServer, examples: int) -> int:
    """Call every operation with so many valid and so many invalid requests; return how many that were."""
    schema = schemathesis.openapi.from_url(f"{server.address}/api/openapi.json")
    headers = {"Authorization": f"Bearer {server.key}"}
    calls = 0
    for found in schema.get_all_operations():
        operation = found.ok()
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

            @hypothesis.settings(
                max_examples=examples,
                deadline=None,
                derandomize=True,
                database=None,
                phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
                suppress_health_check=list(hypothesis.HealthCheck),
            )
            @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
            def call(case: Any) -> None:
                nonlocal calls
                calls += 1
                case.call_and_validate(headers=headers)

            call()
    return calls


def test_description_names_every_route_and_is_open_to_all(server: ApiServer) -> None:
    with server.http("") as client:
        described = client.get("/api/openapi.json").json()
    assert set(described["paths"]) == {
        "/api/answer",
        "/api/search",
        "/api/documents",
        "/api/document",
        "/v1/chat/completions",
        "/v1/models",
        "/v1/models/{name}",
    }
    for operations in described["paths"].values():
        for operation in operations.values():
            assert operation["description"]
            assert operation["security"] == [{"key": []}]
            assert {"200", "400", "401", "403", "429", "500", "503"} <= set(operation["responses"])
            assert "422" not in operation["responses"]


@pytest.mark.timeout(900)
def test_generated_requests(server: ApiServer) -> None:
    assert call_everything(server, examples=15) >= 200


@pytest.mark.slow
@pytest.mark.timeout(3_600)
def test_two_thousand_generated_requests(server: ApiServer) -> None:
    assert call_everything(server, examples=140) >= 2_000
