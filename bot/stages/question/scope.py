"""Questions about all documents at once: only the best passages are read, so these are declined rather than guessed."""

from __future__ import annotations

import regex

_DOCUMENTS = r"(?:documents?|files?|articles?|reports?|papers?|records?|pages?|texts?|sources?|transcripts?|minutes)"
_MENTION = r"(?:mention|contain|discuss|refer|talk|describe|cover|deal|speak|are about|were about|is about)"
_PATTERN = regex.compile(
    rf"""^(?:so\ |and\ |please\ )*(?:
      how\ many\ (?:of\ (?:the|these|your)\ )?{_DOCUMENTS}\ (?:do\ you\ have|are\ there|{_MENTION})
    | (?:list|name|show|give\ me|which\ are)\ (?:all|every|each)\ (?:of\ )?(?:the\ |your\ )?{_DOCUMENTS}\b
    | which\ (?:of\ (?:the|these|your)\ )?{_DOCUMENTS}\ {_MENTION}
    | (?:in|across)\ how\ many\ {_DOCUMENTS}\b
    )
    | (?:多少|[幾几])[份個个篇]文件 | 哪些文件(?:提|有|講|讲|說|说) | 列出(?:所有|全部)文件""",
    regex.IGNORECASE | regex.VERBOSE,
)


def is_about_the_collection(question: str) -> bool:
    """Return whether a question asks to count or list the documents themselves."""
    return bool(_PATTERN.search(question))
