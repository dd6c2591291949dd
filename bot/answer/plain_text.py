"""An Answer as plain lines, for a terminal or a program that reads text."""

from __future__ import annotations

from bot.answer.answer import Answer, Citation


def render_plain(answer: Answer) -> str:
    """Return an answer as plain lines: the text, then each footnote with its place."""
    lines = []
    if answer.standalone_question != answer.question:
        lines.append(f"Understood as: {answer.standalone_question}")
    lines.append(answer.text)
    if approval := answer.provenance.approved:
        lines.append(f"Approved on {approval.date} by a person who checked it.")
    shown = answer.refusal.nearest if answer.refusal else answer.citations
    if shown:
        lines += ["", *(_footnote(citation) for citation in shown)]
    return "\n".join(lines)


def _footnote(citation: Citation) -> str:
    page = f", page {citation.page}" if citation.page else ""
    place = f"{citation.document_id}{page}, {citation.start}-{citation.end}"
    return f"[{citation.number}] {citation.title} ({place}): “{' '.join(citation.quote.split())}”"
