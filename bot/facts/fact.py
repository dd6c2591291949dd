"""What in a text can be true or false and is checked by words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from index.document import Span

FactKind = Literal["number", "date", "time", "name", "negation", "lost negation", "comparison", "lost comparison"]


@dataclass(frozen=True, slots=True)
class Fact:
    """One checkable thing.

    Attributes:
        kind: What sort of thing it is; a "lost" one is what the sources say and the statement leaves out.
        text: As written where it stands (a lost one as the sources write it).
        span: Place in the statement; for a lost one the word that lost it.
    """

    kind: FactKind
    text: str
    span: Span

    def problem(self) -> str:
        """Return in plain words what is wrong when the sources do not state this fact."""
        if self.kind.startswith("lost"):
            return f"the cited sentences say {self.text!r}, which is left out"
        if self.kind in {"negation", "comparison"}:
            return f"{self.text!r} is not in the cited sentences"
        return f"the {self.kind} {self.text} is not in the cited sentences"
