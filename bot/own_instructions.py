"""Messages that ask for the bot's own instructions, or give it new ones: neither is a question about documents."""

from __future__ import annotations

import regex

_PATTERN = regex.compile(
    r"""\b(?:what(?:'s|\ is|\ are|\ were)|show|print|repeat|reveal|output|display|give|tell|share|list)\b[^.?!]{0,40}?
        \b(?:your|the)\ (?:system\ |own\ |initial\ |hidden\ |secret\ |original\ )*
        (?:(?<=system\ |initial\ |hidden\ |secret\ |original\ )|(?<=your\ )|(?<=your\ own\ ))
        (?:prompts?|instructions|guidelines)\s*(?:\p{P}|$|verbatim|word\ for\ word|above)
    |^(?:please\ )?(?:ignore|forget|disregard)\ (?:all|any|your|the|previous|above|prior|earlier)\b[^.?!]{0,30}
        \b(?:instructions?|prompts?|rules)\b
    |(?:你|您)的?(?:系統|系统|內部|内部|原始)?(?:提示詞|提示词|提示語|提示语|指令)(?:是|為|为|\p{P}|$)
    |(?:忽略|無視|无视|忘記|忘记)(?:之前|以上|先前|所有)[^。？！]{0,8}(?:指示|指令|提示|規則|规则)""",
    regex.IGNORECASE | regex.VERBOSE,
)


def is_about_own_instructions(message: str) -> bool:
    """Return whether a message is about what the bot was told to do, and not about the documents."""
    return bool(_PATTERN.search(message))
