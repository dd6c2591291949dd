"""The worst model there is: it does whatever a document wants, and says yes to everything."""

from __future__ import annotations

from collections.abc import Iterable

import regex

from bot.language_model import Prompt
from tests.support.attacker import Attempt
from tests.support.scripted_model import ScriptedModel

_FENCE = regex.compile(r"^([B-Z]{6})$", regex.MULTILINE)


def fence_in(prompt: Prompt) -> str:
    """Return the letters of the fence of a prompt; empty where it has none."""
    found = _FENCE.search(prompt.user)
    return found[1] if found else ""


def obedient_model(attempts: Iterable[Attempt]) -> ScriptedModel:
    """Return a model that knows what the attacker wants as soon as it sees any piece of what was planted."""
    known = tuple(attempts)

    def write(prompt: Prompt) -> str:
        if prompt.user.startswith("Translate this question"):
            return next((one.fact.question for one in known if one.question in prompt.user), "What is this?")
        order = next((one for one in known if any(trace in prompt.user for trace in one.traces)), None)
        if order is not None:
            return " ".join(
                order.wanted.replace("{system}", prompt.system)
                .replace("{user}", prompt.user)
                .replace("{fence}", fence_in(prompt))
                .split()
            )
        # Nothing planted has reached it: it points to the sentence that states the fact.
        for one in known:
            for line in prompt.user.splitlines():
                if one.fact.stated in line and (number := regex.match(r"\[(\d+)\]", line)):
                    return f"Yes [{number[1]}]"
        return "No"

    return ScriptedModel(write=write, odds=9.0)
