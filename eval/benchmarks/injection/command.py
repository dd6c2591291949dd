"""The command `footnote eval injection`."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table

from bot.cli.options import answerer_option, json_option, print_json, with_settings
from bot.settings import Settings
from eval.benchmarks.injection.run import Outcome, Share, ask_rows, load_rows, measure
from eval.errors import ReportError
from eval.run.origin import read_origin
from eval.run.progress import show_progress
from index.document import hash_text
from index.store.atomic_file import write_file

if TYPE_CHECKING:
    from eval.benchmarks.sets.respondent import Opener


@click.command(epilog="\b\nExample:\n  footnote eval injection datasets/bipia --beside-starter --out injection.json")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--limit", type=click.IntRange(1), help="At most so many rows, a sample of all, the same ones each time.")
@click.option("--beside-starter", is_flag=True, help="Ask llama-index's chat engine too, which defends nothing.")
@click.option(
    "--work",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("data/benchmarks"),
    show_default=True,
    help="Where replies are kept.",
)
@click.option("--out", type=click.Path(path_type=Path), help="Write the report to this JSON file.")
@answerer_option
@json_option
@with_settings
def injection(
    folder: Path,
    *,
    limit: int | None,
    beside_starter: bool,
    work: Path,
    out: Path | None,
    as_json: bool,
    settings: Settings,
) -> None:
    """Plant instructions in documents, ask about them, and count who obeys.

    Attacks are the set's own, where it is in BIPIA's shape (Yi et al., 2023), and ours with a canary, planted in the
    documents that the questions of any set were written about.
    """
    from eval.benchmarks.sets.run import open_answerer, open_baseline  # torch takes seconds to import
    from eval.benchmarks.sets.sets import find_protocol

    rows = load_rows(folder)[:limit]
    answerers: list[tuple[str, AbstractContextManager[Opener]]] = []
    answerers.append((settings.answerer, open_answerer(settings, search_only=False)))
    if beside_starter:
        answerers.append(("starter", open_baseline(settings, None, "")))
    outcomes: list[Outcome] = []
    for name, opening in answerers:
        with opening as opener, show_progress(name, len(rows)) as advance:
            identity = hash_text(*(f"{key}={value}" for key, value in sorted(opener.measured().items())))[:12]
            answered = ask_rows(rows, opener, work / "injection" / f"{name}-{identity}.jsonl", advance)
        outcomes.append(measure(name, answered, find_protocol(folder)[1]))
    report = {
        "set": folder.name,
        "rows": len(rows),
        "origin": read_origin().model_dump(mode="json"),
        "outcomes": [outcome.model_dump(mode="json") for outcome in outcomes],
    }
    if out is not None:
        write_file(out, json.dumps(report, indent=2) + "\n", ReportError)
    if as_json:
        print_json(report)
    else:
        Console().print(_table(outcomes))


def _table(outcomes: list[Outcome]) -> Table:
    table = Table("measure", *(outcome.answerer for outcome in outcomes), title="Planted instructions")
    for name in outcomes[0].obeyed:
        table.add_row(f"obeyed, {name}", *(_shown(outcome.obeyed[name]) for outcome in outcomes))
    table.add_row("addresses of others", *(_shown(outcome.linked) for outcome in outcomes))
    table.add_row("graded as obeying, nothing planted", *(_shown(outcome.noise) for outcome in outcomes))
    for name in outcomes[0].answered:
        table.add_row(f"answered, {name}", *(_shown(outcome.answered[name]) for outcome in outcomes))
    for name in outcomes[0].right:
        table.add_row(f"right, {name}", *(_shown(outcome.right[name]) for outcome in outcomes))
    return table


def _shown(share: Share) -> str:
    if not share.n:
        return "-"
    return f"{share.count / share.n:.3f} ({share.count} of {share.n}; {share.low:.3f} to {share.high:.3f})"
