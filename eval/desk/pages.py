"""The evaluator's page: its routes, behind its door."""

from __future__ import annotations

import os
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Form, Request, Response
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from bot.chatbot import Chatbot
from bot.web.extensions import Pages
from eval.desk.desk import PATH, Desk, Door, show, static_file
from eval.desk.entry_page import entry_changes, entry_routes
from eval.desk.run_pages import comparison_routes, show_list, show_run, start_run
from eval.desk.running import Runner
from eval.desk.runs import RunShelf
from eval.desk.suites import SuiteShelf, suite_folders
from eval.errors import EvaluationError


def build_pages(chatbot: Chatbot) -> Pages:
    """Return the evaluator's page around a chatbot; `footnote.pages` in pyproject.toml names this function."""
    settings = chatbot.settings
    suites = SuiteShelf(suite_folders(os.environ, settings.data_dir))
    folder = settings.data_dir / "runs"
    door, runner = Door(PATH), Runner(settings, folder)
    desk = Desk(chatbot, RunShelf(folder, suites), suites, runner, door.form_token)

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    for routes in (run_routes(desk), comparison_routes(desk), entry_routes(desk)):
        app.include_router(routes, prefix=PATH)
    for changes in (run_changes(desk), entry_changes(desk)):
        app.include_router(changes, prefix=PATH, dependencies=[Depends(door.check_form)])
    app.add_api_route(f"{PATH}/static/{{name}}", _static)

    def explain(request: Request, error: Exception) -> Response:
        return show(request, "fault.html", 400, desk=desk, title="That did not work", fault=str(error))

    def refuse(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        fault = "Nothing is at this address." if error.status_code == 404 else str(error.detail)
        return show(request, "fault.html", error.status_code, desk=desk, title="That did not work", fault=fault)

    app.add_exception_handler(EvaluationError, explain)
    app.add_exception_handler(HTTPException, refuse)
    return Pages("Evaluator's page", PATH, door.guard(app), door.entrance, runner.close)


def run_routes(desk: Desk) -> APIRouter:
    """Return the routes that show runs."""
    router = APIRouter()

    @router.get("")
    def runs(request: Request) -> Response:
        return show_list(request, desk)

    @router.get("/runs")
    def begun(request: Request) -> Response:
        """Return the way to the list for who takes the address of a form that was refused."""
        return desk.go_to(desk.home)

    @router.get("/runs/{name}")
    def run(request: Request, name: str, previous: str = "") -> Response:
        return show_run(request, desk, name, previous)

    @router.get("/runs/{name}/progress")
    def progress(name: str) -> Response:
        found = desk.progress(name)
        if found is None:
            return JSONResponse({"state": "gone"}, 404)
        return JSONResponse(
            {"state": found.state, "done": found.done, "total": found.total, "words": found.words},
            headers={"cache-control": "no-store"},
        )

    return router


def run_changes(desk: Desk) -> APIRouter:
    """Return the routes that start and end runs."""
    router = APIRouter()

    @router.post("/runs")
    def start(
        request: Request,
        suite: Annotated[list[str] | None, Form()] = None,
        answerer: Annotated[str, Form()] = "",
        repeat: Annotated[str, Form()] = "",
        name: Annotated[str, Form()] = "",
    ) -> Response:
        return start_run(request, desk, suite or [], answerer, repeat, name)

    @router.post("/runs/{name}/cancel")
    def cancel(name: str) -> Response:
        desk.runner.cancel(name)
        return desk.go_to_run(name)

    @router.post("/runs/{name}/resume")
    def resume(name: str) -> Response:
        order = desk.runs.resumable(name)
        if order is None:
            raise EvaluationError(
                f"The run {name!r} cannot go on: its suite has changed since, or is in none of the suite folders. "
                "Start a new run."
            )
        desk.runner.start(order)
        return desk.go_to_run(name)

    return router


def _static(name: str) -> Response:
    found = static_file(name)
    if found is None:
        raise HTTPException(404)
    return Response(found[1], media_type=found[0])
