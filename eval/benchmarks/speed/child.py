"""One contender, timed in a process of its own: `python -m eval.benchmarks.speed.child NAME CORPUS QUESTIONS FOLDER`.

Prints one JSON object: seconds of each part, milliseconds of each retrieval, peak memory in MiB.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from index.errors import FootnoteError


def main(name: str, corpus: str, questions: str, folder: str) -> None:
    """Time a contender and print what was found."""
    asked = json.loads(Path(questions).read_text(encoding="utf-8"))
    begin = time.perf_counter()
    from eval.benchmarks.speed.contenders import build_contender  # importing is part of the time to load

    contender = build_contender(name, Path(corpus), Path(folder))
    found: dict[str, object] = {"load_seconds": time.perf_counter() - begin}
    found["index_seconds"] = _seconds(contender.index)
    found["index_again_seconds"] = _seconds(contender.index)
    contender.retrieve(asked[0])  # whatever is opened on first use
    found["retrieve_ms"] = [1000 * _seconds(partial(contender.retrieve, question)) for question in asked]
    found["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    json.dump(found, sys.stdout)


def _seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except FootnoteError as error:
        sys.exit(str(error))
