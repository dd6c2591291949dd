"""The HTTP servers: `footnote serve` shows the page at once and loads the rest behind it; `footnote mcp --http`."""

from __future__ import annotations

import asyncio
import errno
import secrets
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp

from bot.answer.errors import ServeError
from bot.settings import Settings
from bot.web.extensions import Pages

if TYPE_CHECKING:
    from bot.web.answer_service import AnswerService
    from bot.web.app import LazyApp

_BACKLOG = 128
_SHUTDOWN_SECONDS = 3


def serve(settings: Settings, *, evaluator: bool = False, watch: bool = False) -> None:
    """Serve the web application until it is interrupted.

    Args:
        settings: What to serve, and where.
        evaluator: Whether to serve the evaluator's pages too, behind a key that only the terminal shows.
        watch: Whether to update the index whenever its folders change.

    Raises:
        ServeError: The port or the address cannot be used.
        FootnoteError: The index or the embedding model cannot be used.
        KeyboardInterrupt: Ctrl-C was pressed.
        SystemExit: The process received SIGTERM.
    """
    # SIGTERM, which service managers send, closes everything as Ctrl-C does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with closing(open_port(settings.host, settings.port)) as listener:
        # These take seconds to import; a port in use should not wait for them.
        from bot.build import build_chatbot
        from bot.operations.logs import set_up_logs
        from bot.operations.metrics import Metrics, observed
        from bot.staff.accounts import Accounts
        from bot.storage.answers import AnswerRecords, Retention
        from bot.storage.api_keys import ApiKeys
        from bot.web.app import build_app
        from bot.web.extensions import load_pages
        from bot.web.staff.staff_site import build_staff

        set_up_logs(settings.log_format, settings.log_level)
        metrics = Metrics()
        with (
            observed(metrics, settings.metrics_address) as on_answer,
            closing(build_chatbot(settings, mend=True, on_answer=on_answer, secret=secrets.token_hex())) as chatbot,
            closing(AnswerRecords(settings.catalogue_url(), settings.review_sample)) as records,
            closing(Retention(records, settings.retention_days)),
            closing(ApiKeys(settings.catalogue_url())) as keys,
            ExitStack() as opened,
        ):
            groups = load_pages(chatbot) if evaluator else ()
            if settings.oidc_issuer or Accounts(records.engine).all():
                groups = build_staff(settings, chatbot, records, groups)
            for pages in groups:
                opened.callback(pages.close)
            app = build_app(chatbot, records, groups, metrics, keys)
            if watch:
                from bot.operations.watch import FolderWatch

                opened.enter_context(closing(FolderWatch(settings, _say))).start()
            _Server(app, address_of(listener), groups, chatbot.warm_up).run(sockets=[listener])


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def open_port(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 takes any free one.

    Raises:
        ServeError: The port is taken, not permitted, or the address is not one of this machine.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(_BACKLOG)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        raise ServeError(_explain(error, host, port)) from error
    return listener


def address_of(listener: socket.socket) -> str:
    """Return the address to open in a browser."""
    host, port = listener.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "localhost"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{shown}:{port}"


def _explain(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} on {host!r} is in use: stop the program that uses it, or choose another with --port."
    if error.errno == errno.EACCES:
        return f"Port {port} on {host!r} is not permitted for this user: choose one above 1023 with --port."
    reason = (error.strerror or str(error)).lower()
    return f"The address {host!r} cannot be listened on ({reason}): choose another with --host, such as 127.0.0.1."


def serve_with_keys(app: ASGIApp, name: str, path: str, settings: Settings) -> None:
    """Serve an application behind the API's keys, at the address of the settings, until interrupted.

    Args:
        app: The application.
        name: What it is, as the terminal names it.
        path: Its path.
        settings: The address, and whether requests without a key are accepted.

    Raises:
        ServeError: The port or the address cannot be used.
    """
    from bot.storage.api_keys import ApiKeys
    from bot.web.api.key_authentication import KeyAuthentication, KeyAuthenticationMiddleware
    from bot.web.rate_limits import RateLimits

    with (
        closing(open_port(settings.host, settings.port)) as listener,
        closing(ApiKeys(settings.catalogue_url())) as keys,
    ):
        _say(f"{name} is at {address_of(listener)}{path} (press Ctrl-C to stop)")
        guarded = KeyAuthenticationMiddleware(app, KeyAuthentication(keys, settings, RateLimits(settings)))
        configuration = uvicorn.Config(guarded, log_level="warning", access_log=False, server_header=False, ws="none")
        uvicorn.Server(configuration).run(sockets=[listener])


class _Server(uvicorn.Server):
    """Prints its address once the page can be reached, loads the rest, and ends open streams when it stops."""

    def __init__(self, app: Starlette, address: str, groups: Sequence[Pages], warm_up: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,  # `app.py` reads those of trusted proxies
                timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
                ws="none",
            )
        )
        self._composer: LazyApp = app.state.composer
        self._service: AnswerService = app.state.answer_service
        self._address = address
        self._groups = groups
        self._warm_up = warm_up
        self._loading: asyncio.Task[None] | None = None

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until interrupted.

        Raises:
            FootnoteError: What was loaded behind the page cannot be used.
        """
        super().run(sockets)
        if self._loading is not None and self._loading.done() and not self._loading.cancelled():
            self._loading.result()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        _say(f"Footnote is ready at {self._address} (press Ctrl-C to stop)")
        for pages in self._groups:
            warning = " (keep this link to yourself)" if pages.secret else ""
            _say(f"{pages.name}: {self._address}{pages.entrance}{warning}")
        self._loading = asyncio.create_task(self._load())
        self._loading.add_done_callback(self._stop_on_failure)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._service.stop()
        if self._composer.app is not None:
            self._composer.app.state.stop_streams.set()
        await super().shutdown(sockets)

    async def _load(self) -> None:
        # One after the other: two threads that import share one interpreter lock, so neither would be faster.
        await self._composer.built()
        await asyncio.to_thread(self._warm_up)

    def _stop_on_failure(self, loading: asyncio.Task[None]) -> None:
        if not loading.cancelled() and loading.exception() is not None:
            self.should_exit = True
