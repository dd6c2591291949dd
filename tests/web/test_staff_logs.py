"""W7: a whole journey leaves nothing of readers and no secret in the logs, and no character that acts in a terminal."""

from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from bot.staff.accounts import Accounts
from bot.storage.answers import AnswerRecords
from tests.support.web_machine import WebMachine

QUESTIONS = [f"How much did Canary{name} Zebedee pay for the institute?" for name in ("Alpha", "Bravo", "Charlie")]
STRANGE = ["Canary\x1b[31mDelta\x07", "CanaryEcho\r\nroot logged in", "CanaryFoxtrot " * 300, "CanaryGolf\u202egnirts"]
PASSWORD, WRONG = "CanaryHotel-battery-staple", "CanaryIndia-wrong-password"
API_KEY, REMOTE_KEY = "fn-CanaryJuliett", "sk-CanaryKilo"
VISITOR, SESSION = "CanaryLima-visitor", "CanaryMike-session"
NAME, COMMENT, REFERENCE = "CanaryNovember", "CanaryOscar is my address", "CanaryPapa"
AGENT, QUERY, PATH, ORIGIN = "CanaryQuebec", "CanaryRomeo", "CanarySierra%0a%1b[2J", "http://CanaryTango.example"
CANARIES = set(re.findall(r"Canary[A-Z]?\w*", " ".join((*QUESTIONS, PASSWORD, WRONG, API_KEY, REMOTE_KEY))))
CANARIES |= {"Delta\x07", "CanaryEcho", "CanaryFoxtrot", "CanaryGolf", "CanaryLima", "CanaryMike", "CanaryNovember"}
CANARIES |= {"CanaryOscar", "CanaryPapa", "CanaryQuebec", "CanaryRomeo", "CanarySierra", "CanaryTango", "Zebedee"}


@pytest.mark.parametrize("level", ["warning", "debug"])
def test_w7_a_whole_journey_leaves_no_canary_in_the_logs(own_seed_data: Path, level: str) -> None:
    data = own_seed_data
    with closing(AnswerRecords(f"sqlite:///{data / 'footnote.db'}")) as records:
        Accounts(records.engine).add("(test)", "anna", "admin", PASSWORD)
    # A language model that is away, so that asking it fails and is logged.
    environment = {
        "FOOTNOTE_ANSWERER": "remote",
        "FOOTNOTE_REMOTE_URL": "http://127.0.0.1:9/v1",
        "FOOTNOTE_REMOTE_MODEL": "none",
        "FOOTNOTE_REMOTE_KEY": REMOTE_KEY,
        "FOOTNOTE_API_ANONYMOUS": "true",
        "FOOTNOTE_LOG_LEVEL": level,
    }
    machine = WebMachine(data, environment)
    try:
        machine.start()
        machine.wait()
        journey(machine)
        said = machine.said()
    finally:
        machine.kill()
    assert "Staff: " in said
    assert "answering without the language model" in said, "nothing was logged at all"
    assert len(CANARIES) >= 20
    assert [canary for canary in CANARIES if canary in said] == []
    assert re.findall(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e]", said) == []


def journey(machine: WebMachine) -> None:
    """Ask, rate, delete, log in and out, and send much that is wrong."""
    for question in (*QUESTIONS, *STRANGE):
        machine.ask(question)
    headers = {"cookie": f"footnote-visitor={VISITOR}; footnote-staff={SESSION}", "user-agent": AGENT}
    with httpx.Client(base_url=machine.address, headers=headers, timeout=120, trust_env=False) as client:
        given = client.get("/my-data").json()
        assert given["answers"] == []
        client.post("/feedback", json={"answer": {"question": COMMENT}, "verdict": "down", "comment": COMMENT})
        client.post("/feedback", content=f"{{{COMMENT}")
        client.post("/gradio_api/queue/join", json={"data": [COMMENT, None], "fn_index": 0, "session_hash": REFERENCE})
        client.post("/gradio_api/queue/join", content=COMMENT)
        client.request("DELETE", f"/conversation/{REFERENCE}")
        client.request("DELETE", "/my-data", headers={"origin": ORIGIN})
        for path in (f"/{PATH}", f"/source/{PATH}", f"/?q={QUERY}", f"/staff/{PATH}?q={QUERY}", f"/answer/{REFERENCE}"):
            client.get(path)
        asked = {"model": "footnote", "messages": [{"role": "user", "content": QUESTIONS[0]}]}
        client.post("/v1/chat/completions", json=asked, headers={"authorization": f"Bearer {API_KEY}"})
        client.post("/staff/login", data={"name": NAME, "password": WRONG})
        client.post("/staff/login", data={"name": "anna", "password": WRONG, "next": f"/staff/{REFERENCE}"})
    with httpx.Client(base_url=machine.address, timeout=120, trust_env=False) as staff:
        assert staff.post("/staff/login", data={"name": "anna", "password": PASSWORD}).status_code == 303
        page = staff.get("/staff/me").text
        token = re.search(r'name="token" value="(\w+)"', page)
        assert token is not None
        fields = {"token": token[1], "old": WRONG, "new": WRONG}
        assert staff.post("/staff/me/password", data=fields).status_code == 400
        added = {"token": token[1], "name": NAME, "role": REFERENCE, "password": WRONG}
        assert staff.post("/staff/accounts", data=added).status_code == 400
        staff.get(f"/staff/privacy?reference={REFERENCE}")
        staff.get("/staff/review")
        staff.post("/staff/logout", data={"token": token[1]})
