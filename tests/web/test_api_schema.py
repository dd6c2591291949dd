"""The API against its own description: generated requests, valid and not, and what may come back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import schemathesis
from schemathesis.generation import GenerationMode

from bot.chatbot import Chatbot
from tests.support.api_server import ApiServer, api_server


@pytest.fixture(scope="module")
def server(
    seed_data: Path, open_chatbot: Callable[..., Chatbot], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ApiServer]:
    unlimited = open_chatbot(seed_data, visitor_requests="", all_questions="")
    with api_server(unlimited, tmp_path_factory.mktemp("api")) as served:
        yield served


def call_everything(server: ApiServer, examples: int) -> Counter[int]:
    """Call every operation with so many valid and so many invalid requests; return how often each status came back."""
    schema = schemathesis.openapi.from_url(f"{server.address}/api/openapi.json")
    # The key is ours: a request that is made wrong by leaving it out would be made right again.
    schema.config.generation.update(with_security_parameters=False)
    headers = {"Authorization": f"Bearer {server.key}"}
    statuses: Counter[int] = Counter()
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
                statuses[case.call_and_validate(headers=headers).status_code] += 1

            with suppress(hypothesis.errors.Unsatisfiable):  # of some, nothing that is asked can be wrong
                call()
    return statuses


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
    statuses = call_everything(server, examples=15)
    assert statuses.total() >= 200
    assert statuses[200] >= 50


@pytest.mark.slow
@pytest.mark.timeout(3_600)
def test_two_thousand_generated_requests(server: ApiServer) -> None:
    statuses = call_everything(server, examples=140)
    print(f"\n{statuses.total()} calls: {dict(statuses)}")  # noqa: T201
    assert statuses.total() >= 2_000
    assert statuses[200] >= 500
