"""The evaluator's page as an application of its own, behind its check of access."""

from __future__ import annotations

import os

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

from bot.chatbot import Chatbot
from bot.web.extensions import Pages
from eval.desk.entry_page import entry_routes
from eval.desk.folders import RunFolders, SuiteFolders, suite_folders
from eval.desk.run_pages import run_routes
from eval.desk.running import Runner
from eval.desk.site import PATH, EvaluatorSite, KeyAccess, show_page, static_file
from eval.errors import EvaluationError


def build_pages(chatbot: Chatbot) -> Pages:
    """Return the evaluator's page around a chatbot; `footnote.pages` in pyproject.toml names this function."""
    settings = chatbot.settings
    suites = SuiteFolders(suite_folders(os.environ, settings.data_dir))
    folder = settings.data_dir / "runs"
    access, runner = KeyAccess(), Runner(settings, folder)
    site = EvaluatorSite(chatbot, RunFolders(folder, suites), suites, runner, access)

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(run_routes(site), prefix=PATH)
    app.include_router(entry_routes(site), prefix=PATH)
    app.add_api_route(f"{PATH}/static/{{name}}", static_file, response_model=None)

    def show_fault(request: Request, error: Exception) -> Response:
        status, fault = 400, str(error)
        if isinstance(error, HTTPException):
            status = error.status_code
            fault = "Nothing is at this address." if status == 404 else error.detail
        return show_page(request, "fault.html", status, site=site, title="That did not work", fault=fault)

    app.add_exception_handler(EvaluationError, show_fault)
    app.add_exception_handler(HTTPException, show_fault)
    return Pages("Evaluator's page", PATH, access.guard(app), access.entrance, runner.close)
