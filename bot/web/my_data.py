"""What a reader can do about what is kept of them: take it along, and have it deleted."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from bot.records.answers import AnswerRecords
from bot.records.privacy import READER, delete_visitor, visitor_data
from bot.web.visitor import visitor_of

_DOWNLOAD = {"content-disposition": 'attachment; filename="footnote-my-data.json"', "cache-control": "no-store"}


def my_data_routes(records: AnswerRecords) -> APIRouter:
    """Return the two routes; both concern the visitor whose cookie comes along, and nobody else."""
    router = APIRouter()

    @router.get("/my-data")
    def download(request: Request) -> JSONResponse:
        return JSONResponse(visitor_data(records, visitor_of(request.cookies)), headers=_DOWNLOAD)

    @router.delete("/my-data", status_code=204)
    def delete(request: Request) -> None:
        delete_visitor(records.engine, READER, visitor_of(request.cookies))

    return router
