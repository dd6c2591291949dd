"""How long the staff wait: pages of the queue over many stored answers, made by varying sentences of the seeds.

Run it with `python -m tests.web.bench_staff [ANSWERS [SQLite|PostgreSQL]]`. It fills an SQLite file, and a PostgreSQL
server where its programs are installed, asks for pages as a browser would, and prints the median and the 95th
percentile. What the answers say is made up, and means nothing.
"""

from __future__ import annotations

import random
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import sqlalchemy as sa

from bot.answer.answer import Answer, Citation, Provenance, Refusal, Statement, render_text
from bot.answer.trace import Trace
from bot.storage.answers import AnswerRecords, Origin
from bot.storage.review_items import rate_item
from bot.storage.schema import ANSWERS, METADATA
from tests.browser.scripted import ScriptedChatbot
from tests.conftest import SEEDS
from tests.support.postgresql_server import PostgresqlServer, find_programs
from tests.support.staff_site import Browser, StaffSite

ANSWERS_AT_ONCE = 1_000
COPIES = 20
TRIALS = 100
_MADE_BY = Provenance(
    version="0", index_fingerprint="0", embedding_model="", answerer="extractive", language_model=None, prompts_hash="0"
)
_SENTENCE = re.compile(r"[^.。!?！？\n]{12,300}[.。!?！？]")


def read_sentences() -> list[str]:
    """Return the sentences of the seed documents."""
    texts = (path.read_text("utf-8", errors="replace") for path in sorted(SEEDS.rglob("*.txt")))
    return [sentence.strip() for text in texts for sentence in _SENTENCE.findall(text)]


def make_answer(number: int, sentences: list[str], chance: random.Random) -> tuple[Answer, Trace]:
    """Return a made-up answer and its way: one in five is a refusal, one in twenty dropped a statement."""
    drawn = [re.sub(r"\d+", lambda _: str(chance.randrange(2_000)), chance.choice(sentences)) for _ in range(4)]
    words = drawn[0].split()
    question = " ".join(words[: chance.randrange(4, 14)])[:200] + "?"
    refusal = Refusal(reason="not_in_documents", message="The documents do not say.") if chance.random() < 0.2 else None
    cited = [] if refusal else drawn[1 : 1 + chance.randrange(1, 4)]
    citations = tuple(
        Citation(
            number=n, document_id=f"d{chance.randrange(500)}.txt", title="T", page=None, start=0, end=len(q), quote=q
        )
        for n, q in enumerate(cited, 1)
    )
    statements = tuple(Statement(text=one.quote, citations=(one.number,), support="quoted") for one in citations)
    made = Answer(
        id=f"{number:032x}",
        kind="refusal" if refusal else "answer",
        question=question,
        standalone_question=question,
        text=refusal.message if refusal else render_text(statements),
        refusal=refusal,
        statements=statements,
        citations=citations,
        retrieved=(),
        confidence=chance.uniform(0, 0.4) if refusal else chance.uniform(0.4, 1),
        timings_ms={"total": 100.0},
        provenance=_MADE_BY,
    )
    dropped = ("It is free.",) if chance.random() < 0.05 else ()
    contradicted = int(chance.random() < 0.03)
    return made, Trace(question, question, 0.4, drafts=dropped, dropped=dropped, disagreements=contradicted)


def fill(records: AnswerRecords, count: int, sentences: list[str]) -> float:
    """Put answers on record, 3% with thumbs down, one in `COPIES` made and the others copied; return the seconds."""
    chance, begin = random.Random(1), time.monotonic()
    made_up = count // COPIES
    for start in range(0, made_up, ANSWERS_AT_ONCE):
        with records.engine.begin() as connection:
            for number in range(start, min(start + ANSWERS_AT_ONCE, made_up)):
                made, trail = make_answer(number, sentences, chance)
                records.record_in(connection, made, Origin("page", f"c{number // 3}", f"v{number // 9}"), (), trail)
                if chance.random() < 0.03:
                    connection.execute(ANSWERS.update().where(ANSWERS.c.id == made.id).values(rating="down"))
                    rate_item(connection, made.id, "down")
    with records.engine.begin() as connection:
        for copy in range(1, COPIES):
            _copy(connection, copy, made_up)
    if records.engine.dialect.name == "postgresql":  # which does it by itself within a minute, where it is let
        with records.engine.begin() as connection:
            connection.exec_driver_sql("ANALYZE")
    return time.monotonic() - begin


def _copy(connection: sa.Connection, copy: int, count: int) -> None:
    """Put every answer on record once more, under another id."""
    originals = {"answers": "id", "cited": "answer_id", "review_items": "answer_id"}
    for table, key in originals.items():
        columns = METADATA.tables[table].columns.keys()
        changed = (
            {key: f"{key} || '-{copy}'", "number": f"number + {copy * count}"}
            if table != "cited"
            else {key: f"{key} || '-{copy}'"}
        )
        names = ", ".join(f'"{name}"' for name in columns)
        values = ", ".join(changed.get(name, f'"{name}"') for name in columns)
        connection.execute(
            sa.text(f"INSERT INTO {table} ({names}) SELECT {values} FROM {table} WHERE length({key}) = 32")
        )
    number = "rowid" if connection.dialect.name == "sqlite" else "number"
    connection.execute(
        sa.text(
            f"INSERT INTO review_words ({number}, words) SELECT {number} + {copy * count}, words FROM review_words "
            f"WHERE {number} <= {count}"
        )
    )


def cases(count: int, sentences: list[str]) -> dict[str, Callable[[Browser, random.Random], object]]:
    """Return what is asked for, by name."""
    english = sorted({word for one in sentences for word in re.findall(r"[A-Za-z]{4,}", one)})
    chinese = sorted({pair for one in sentences for pair in re.findall(r"[\u4e00-\u9fff]{2}", one)}) or ["研究"]
    pages = count // 25

    def get(query: str) -> Callable[[Browser, random.Random], object]:
        def ask(browser: Browser, chance: random.Random) -> object:
            filled = query.format(
                word=chance.choice(english),
                other=chance.choice(english),
                pair=chance.choice(chinese),
                page=chance.randrange(pages // 2, pages),
            )
            answer = browser.get(f"/staff/review{filled}")
            assert answer.status_code == 200
            return answer

        return ask

    return {
        "queue, first page": get(""),
        "queue, by reason": get("?reason=dropped"),
        "all answers, first page": get("?state=all"),
        "search, one word": get("?state=all&words={word}"),
        "search, two words": get("?words={word}+{other}"),
        "search, the commonest word": get("?state=all&words=the"),
        "search, Chinese": get("?state=all&words={pair}"),
        "by document": get("?state=all&document=d7.txt"),
        "deep page": get("?state=all&page={page}"),
        "one answer": lambda browser, chance: browser.get(f"/staff/review/{chance.randrange(count // COPIES):032x}"),
    }


def measure(url: str, name: str, count: int, sentences: list[str]) -> None:
    """Fill a database and print how long pages of it take."""
    with closing(AnswerRecords(url)) as records:
        seconds = fill(records, count, sentences)
        print(f"\n{name}: {count:,} answers on record in {seconds:.0f} s", flush=True)  # noqa: T201
        chatbot = ScriptedChatbot()
        chatbot.settings = chatbot.settings.model_copy(update={"visitor_requests": "1000000/minute"})
        browser = StaffSite(chatbot, records).browser("stefan")
        print(f"| {'ms':26} | median |    p95 | processor, median |")  # noqa: T201
        for case, ask in cases(count, sentences).items():
            chance, times, busy = random.Random(2), [], []
            for _ in range(TRIALS):
                begin, worked = time.perf_counter(), time.process_time()
                ask(browser, chance)
                times.append(1_000 * (time.perf_counter() - begin))
                busy.append(1_000 * (time.process_time() - worked))
            median, late = np.percentile(times, [50, 95])
            print(f"| {case:26} | {median:6.0f} | {late:6.0f} | {np.median(busy):17.0f} |", flush=True)  # noqa: T201


@contextmanager
def databases() -> Iterator[dict[str, str]]:
    """Yield the URL of an empty database of each kind."""
    with tempfile.TemporaryDirectory(prefix="footnote-bench-") as folder:
        found = {"SQLite": f"sqlite:///{Path(folder) / 'footnote.db'}"}
        programs = find_programs()
        if programs is None:
            yield found
            return
        server = PostgresqlServer(programs, Path(folder))
        try:
            server.start()
            yield {**found, "PostgreSQL": server.make_database()}
        finally:
            server.stop()


def main() -> None:
    """Measure all databases there are, or the one that is named."""
    count = int(sys.argv[1]) if sys.argv[1:] else 100_000
    sentences = read_sentences()
    with databases() as found:
        for name, url in found.items():
            if name not in (sys.argv[2:] or [name]):
                continue
            measure(url, name, count, sentences)


if __name__ == "__main__":
    main()
