"""Draws the diagrams of docs/architecture.md from the code.

`python -m tests.architecture.diagrams` writes them into the document.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from bot.answer.assembly import Assembly
from bot.stages.checking.check import check, in_readers_language
from bot.stages.evidence.evidence import gather_evidence
from bot.stages.evidence.retrieval import retrieve
from bot.stages.judgement.answerability import judge_with_model
from bot.stages.question.understand import understand
from bot.stages.writing.write import Writer

ROOT = Path(__file__).parent.parent.parent
DOCUMENT = ROOT / "docs" / "architecture.md"
ROOMS = ("bot", "index", "eval", "prompts")
# The steps of `Chatbot._answer`: each takes what the ones before it returned.
STEPS: tuple[Callable[..., object], ...] = (
    understand,
    retrieve,
    gather_evidence,
    judge_with_model,
    Writer.write,
    check,
    in_readers_language,
    Assembly.answer,
)


def stages_diagram() -> str:
    """Return the path of a question as a Mermaid flow chart: functions, and between them the types they return."""
    lines, before = ["flowchart TD", '  start(["question, history"])'], ("start", "str")
    for number, step in enumerate(STEPS):
        module = inspect.getmodule(step)
        assert module is not None
        path = Path(str(module.__file__)).relative_to(ROOT).as_posix()
        lines.append(f'  s{number}["{step.__qualname__}<br/>{path}"]')
        lines.append(f"  {before[0]} -- {before[1]} --> s{number}")
        before = (f"s{number}", _returned(step))
    lines += ['  end_(["reader"])', f"  {before[0]} -- {before[1]} --> end_"]
    return "\n".join(lines)


def packages_diagram() -> str:
    """Return which packages import which, as a Mermaid flow chart; an arrow that others imply is left out."""
    imports = package_imports()
    lines = ["flowchart TD"]
    for package in sorted(imports):
        found = imports[package]
        direct = {one for one in found if not any(one in _below(imports, other) for other in found - {one})}
        lines += [f"  {_id(package)}[{package}] --> {_id(one)}[{one}]" for one in sorted(direct)]
    return "\n".join(lines)


def package_imports() -> dict[str, set[str]]:
    """Return which packages each package imports."""
    imports: dict[str, set[str]] = defaultdict(set)
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            if "migrations" in path.parts:
                continue
            own = _package(".".join(path.relative_to(ROOT).with_suffix("").parts))
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in ROOMS:
                    imports[own].add(_package(node.module))
    return {package: found - {package} for package, found in imports.items()}


def update(text: str) -> str:
    """Return the document with its diagrams as the code has them now."""
    for name, diagram in (("stages", stages_diagram()), ("packages", packages_diagram())):
        begin, end = f"<!-- diagram: {name} -->", "<!-- end of diagram -->"
        before, found, rest = text.partition(begin)
        _, closed, after = rest.partition(end)
        if not (found and closed):
            sys.exit(f"{DOCUMENT} has no block from {begin!r} to {end!r}: add one where the diagram belongs.")
        text = f"{before}{begin}\n```mermaid\n{diagram}\n```\n{end}{after}"
    return text


def _package(module: str) -> str:
    """Return what stands for a module in the diagram: its room, below `bot` its folder or file, each stage its own."""
    room, *parts = module.split(".")
    if room != "bot" or not parts:
        return room
    return "/".join([room, *parts[: 2 if parts[0] == "stages" else 1]])


def _below(imports: dict[str, set[str]], package: str) -> set[str]:
    found: set[str] = set()
    waiting = [package]
    while waiting:
        for one in imports.get(waiting.pop(), ()):
            if one not in found:
                found.add(one)
                waiting.append(one)
    return found


def _returned(step: Callable[..., object]) -> str:
    return str(inspect.signature(step).return_annotation)


def _id(package: str) -> str:
    return package.replace("/", "_")


if __name__ == "__main__":
    DOCUMENT.write_text(update(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
