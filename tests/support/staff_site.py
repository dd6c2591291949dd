"""The whole web application with accounts, as a browser without a window meets it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from starlette.testclient import TestClient

from bot.chatbot import Chatbot
from bot.staff.accounts import Accounts, Role
from bot.storage.answers import AnswerRecords
from bot.web.app import build_app
from bot.web.extensions import Pages
from bot.web.staff.staff_site import build_staff

HOST = "http://bot.example.org"
PASSWORD = "correct horse battery staple"
ACCOUNTS: dict[str, Role] = {"anna": "admin", "stefan": "staff", "eve": "evaluator"}


class StaffSite:
    """Opens browsers, each with cookies of its own, on one application."""

    def __init__(self, chatbot: Chatbot, records: AnswerRecords, evaluators: Sequence[Pages] = ()) -> None:
        self.engine = records.engine
        self.accounts = Accounts(records.engine)
        for name, role in ACCOUNTS.items():
            self.accounts.add("(test)", name, role, PASSWORD)
        self.app = build_app(chatbot, records, build_staff(chatbot.settings, chatbot, records, evaluators))

    def browser(self, name: str = "", host: str = HOST) -> Browser:
        """Return a browser, logged in where a name is given. Gradio, which takes seconds, is not started."""
        browser = Browser(TestClient(self.app, base_url=host, follow_redirects=False))
        if name:
            assert browser.log_in(name).status_code == 303
        return browser


class Browser:
    """A client that fills in forms as its pages made them."""

    def __init__(self, client: TestClient) -> None:
        self.client = client
        self.get = client.get

    def log_in(self, name: str, password: str = PASSWORD, wanted: str = "") -> Any:
        """Send the login form."""
        return self.client.post("/staff/login", data={"name": name, "password": password, "next": wanted})

    def send(self, path: str, **fields: str) -> Any:
        """Send a form with the token of this session."""
        return self.client.post(path, data={"token": self.token(), **fields})

    def token(self) -> str:
        """Return the form's token, from the page of the own account."""
        found = re.search(r'name="token" value="(\w+)"', self.get("/staff/me").text)
        assert found is not None
        return found[1]
