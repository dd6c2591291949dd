"""Measures the first load of the chat page in Chromium: what travels, and when a reader sees and uses it.

Run it with `python -m tests.browser.report_page`; it prints one JSON object: each network, on the first visit and on
one with the files still in the browser's cache.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests.browser.conftest import OPTIONS
from tests.browser.running import running
from tests.browser.scripted import ScriptedChatbot

PATIENCE_MS = 120_000


@dataclass(frozen=True)
class Network:
    """How fast a simulated line is; 0 leaves it as it is."""

    kilobits: int
    latency_ms: int


NETWORKS = {"slow line": Network(400, 400), "this machine": Network(0, 0)}
# When what is asked for is on the page, in milliseconds from the start of the load.
_PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
_BOX = "performance.getEntriesByName('box')[0].startTime"
_NOW = "performance.now()"


def visit(context: BrowserContext, address: str, network: Network) -> dict[str, float]:
    """Load the page once and return its bytes, requests and moments."""
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    if network.kilobits:
        each_way = network.kilobits * 1000 / 8
        session.send(
            "Network.emulateNetworkConditions",
            {
                "offline": False,
                "latency": network.latency_ms,
                "downloadThroughput": each_way,
                "uploadThroughput": each_way,
            },
        )
    sizes: list[int] = []
    session.on("Network.loadingFinished", lambda event: sizes.append(int(event["encodedDataLength"])))
    page.goto(address, wait_until="commit", timeout=PATIENCE_MS)
    page.wait_for_function("performance.getEntriesByName('box').length", timeout=PATIENCE_MS)
    until_box = sum(sizes)
    page.wait_for_selector("body[data-ready]", timeout=PATIENCE_MS)
    all_there = page.evaluate(_NOW)
    page.wait_for_timeout(1_000)
    measured = {
        "kilobytes_until_box": round(until_box / 1000),
        "kilobytes": round(sum(sizes) / 1000),
        "requests": sum(size > 0 for size in sizes),
        "first_contentful_paint_seconds": round(page.evaluate(_PAINT) / 1000, 2),
        "box_usable_seconds": round(page.evaluate(_BOX) / 1000, 2),
        "all_loaded_seconds": round(all_there / 1000, 2),
    }
    page.close()
    return measured


def measure(browser: Browser, address: str, network: Network) -> dict[str, dict[str, float]]:
    """Return the first and the second visit of a new browser."""
    context = browser.new_context(viewport={"width": 390, "height": 780})
    measured = {"first visit": visit(context, address, network), "second visit": visit(context, address, network)}
    context.close()
    return measured


def main() -> None:
    """Print the figures."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running(ScriptedChatbot(), f"sqlite:///{Path(folder) / 'footnote.db'}") as address,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=OPTIONS)
        measure(browser, address, NETWORKS["this machine"])  # so that Gradio is loaded, which is done once a server
        measured = {name: measure(browser, address, network) for name, network in NETWORKS.items()}
        browser.close()
    sys.stdout.write(json.dumps(measured, indent=2) + "\n")


if __name__ == "__main__":
    main()
