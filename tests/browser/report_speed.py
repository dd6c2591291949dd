"""Measures how fast the page of a large report opens and filters in Chromium.

Run it with `python -m tests.browser.report_speed`; it prints one JSON object. Besides the time on the clock it tells
the processor time of the page's main thread, which other work on the machine hardly changes.
"""

from __future__ import annotations

import json
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from eval.report.page import render_report
from tests.browser.conftest import OPTIONS
from tests.support.synthetic_report import large_report

QUESTIONS = 1_000
TIMES = 3
# Resolves once what was changed has been drawn.
DRAWN = "() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))"


def measure(browser: Browser, address: str) -> dict[str, tuple[float, float]]:
    """Return seconds on the clock, and seconds of processor time, of each step in a fresh page."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Performance.enable")

    def worked() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return next(one["value"] for one in metrics if one["name"] == "ThreadTime")

    def timed(step: Callable[[Page], object]) -> tuple[float, float]:
        before, begin = worked(), time.perf_counter()
        step(page)
        page.evaluate(DRAWN)
        seconds = time.perf_counter() - begin
        after = worked()
        # A new address may come with a new process, whose time begins at 0.
        return seconds, after - before if after >= before else after

    steps = {
        "open": lambda page: (page.goto(address), page.wait_for_selector("body[data-ready]")),
        "filter by verdict": lambda page: page.select_option("[name=verdict]", "wrong"),
        "search": lambda page: page.fill("[name=words]", "number 8"),
        "show all": lambda page: (page.fill("[name=words]", ""), page.select_option("[name=verdict]", "")),
        "expand all": lambda page: page.click("[data-do=expand]"),
    }
    measured = {name: timed(step) for name, step in steps.items()}
    context.close()
    return measured


def main() -> None:
    """Print the median of each step."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        file = Path(folder) / "report.html"
        file.write_text(render_report(large_report(QUESTIONS)), encoding="utf-8")
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=OPTIONS)
        runs = [measure(browser, file.as_uri()) for _ in range(TIMES)]
        browser.close()
        seconds = {
            name: {
                "seconds": round(statistics.median(run[name][0] for run in runs), 3),
                "processor_seconds": round(statistics.median(run[name][1] for run in runs), 3),
            }
            for name in runs[0]
        }
        measured = {"questions": QUESTIONS, "bytes": file.stat().st_size, "times": TIMES, "steps": seconds}
        sys.stdout.write(json.dumps(measured, indent=2) + "\n")


if __name__ == "__main__":
    main()
