"""The port of the web application."""

from __future__ import annotations

import socket

from bot.doctor.finding import Check


def check_port(host: str, port: int) -> Check:
    """Try whether the port is free; when the web application runs, it is not."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        reason = error.strerror or str(error)
        message = f"{host}:{port} cannot be used ({reason}): unless Footnote has it, choose another with --port"
        return Check(name="port", state="warning", message=message)
    return Check(name="port", state="ok", message=f"{host}:{port} is free")
