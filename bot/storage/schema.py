"""The tables of the records, in the database that the catalogue is in.

answers   one row an answer as it was given: its conversation, its way through the chatbot, what its reader said of it
cited     the places that an answer cites, by document: what is never cited, and what an edited document takes with it
shared    links to answers, by what their address ends with
api_keys  whom the API lets in, see `bot/storage/api_keys.py`
accounts  who may enter the staff's pages, and as what
sessions  who is logged in, by the hash of what their browser holds
login_failures  wrong passwords of late, by the hash of an account's name or an address
audit     who did what to what, and when: rows are added, and the database refuses to change or delete one
review_items       one row an answer: why and how soon it should be looked at, and who does; search over the words of
                   items (`review_words`) is made by a revision, in each database's own way
verdicts           what somebody found an answer to be; rows are only added
citation_verdicts  what they found each of its citations to be
right_passages     where they found the answer to stand
golden_proposals   questions on their way into a golden suite, and what became of them
approved  answers that a person has approved, and until when; without a word of the conversation they come from
approved_passages  the places they rest on, each by the hash of what stands there and around it
tasks     what staff should look at that is not an answer in the queue
chosen_settings  what an admin set on the staff's pages, and what held before

A table that is changed here is changed by a revision in `bot/storage/migrations/versions` too; a test compares the two.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from index.store.migration import Migration
from index.store.schema import UtcDateTime

METADATA = sa.MetaData()

ANSWERS = sa.Table(
    "answers",
    METADATA,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("conversation", sa.String(64), nullable=False, index=True),
    sa.Column("visitor", sa.String(64), nullable=False, index=True),
    sa.Column("face", sa.String(8), nullable=False),
    sa.Column("asked_at", UtcDateTime, nullable=False, index=True),
    sa.Column("question", sa.Text, nullable=False),
    sa.Column("language", sa.String(8), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False, index=True),
    sa.Column("reason", sa.String(32), nullable=False),
    sa.Column("confidence", sa.Float, nullable=False),
    sa.Column("answer", sa.Text, nullable=False),
    sa.Column("history", sa.Text, nullable=False),
    sa.Column("trail", sa.Text, nullable=False),
    # Drawn once, uniformly from 0 to 1: the answers below a share are a random sample that nobody can choose.
    sa.Column("draw", sa.Float, nullable=False, index=True),
    sa.Column("rating", sa.String(8), nullable=False, server_default=sa.text("''"), index=True),
    sa.Column("rating_reason", sa.String(16), nullable=False, server_default=sa.text("''")),
    sa.Column("rating_comment", sa.Text, nullable=False, server_default=sa.text("''")),
    sa.Column("rated_at", UtcDateTime),
)
CITED = sa.Table(
    "cited",
    METADATA,
    sa.Column("answer_id", sa.ForeignKey("answers.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("document_id", sa.String, nullable=False, index=True),
    sa.Column("start", sa.Integer, nullable=False),
    sa.Column("end", sa.Integer, nullable=False),
    sa.Column("quote_hash", sa.String(64), nullable=False),
)
ACCOUNTS = sa.Table(
    "accounts",
    METADATA,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("role", sa.String(16), nullable=False),
    # Empty for an account that logs in with OpenID Connect only.
    sa.Column("password_hash", sa.String(255), nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
)
SESSIONS = sa.Table(
    "sessions",
    METADATA,
    sa.Column("token_hash", sa.String(64), primary_key=True),
    sa.Column("account", sa.ForeignKey("accounts.name", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("opened_at", UtcDateTime, nullable=False),
    sa.Column("used_at", UtcDateTime, nullable=False),
)
LOGIN_FAILURES = sa.Table(
    "login_failures",
    METADATA,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("last_at", UtcDateTime, nullable=False, index=True),
)
AUDIT = sa.Table(
    "audit",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", UtcDateTime, nullable=False, index=True),
    sa.Column("actor", sa.String(64), nullable=False, index=True),
    sa.Column("action", sa.String(64), nullable=False, index=True),
    sa.Column("subject", sa.String(255), nullable=False),
    sa.Column("before", sa.Text, nullable=False),
    sa.Column("after", sa.Text, nullable=False),
)
SHARED = sa.Table(
    "shared",
    METADATA,
    sa.Column("token", sa.String(32), primary_key=True),
    sa.Column("answer_id", sa.ForeignKey("answers.id", ondelete="CASCADE"), nullable=False, unique=True),
)
# Of a key with a limit a day, `counted` requests were made on the day (of UTC) `counted_on`.
API_KEYS = sa.Table(
    "api_keys",
    METADATA,
    sa.Column("key_id", sa.String(16), primary_key=True),
    sa.Column("name", sa.String(80), nullable=False, unique=True),
    sa.Column("secret_hash", sa.String(64), nullable=False),
    sa.Column("scopes", sa.String(80), nullable=False),
    sa.Column("per_minute", sa.Integer),
    sa.Column("per_day", sa.Integer),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("expires_at", UtcDateTime),
    sa.Column("revoked_at", UtcDateTime),
    sa.Column("counted_on", sa.String(10), nullable=False, server_default=sa.text("''")),
    sa.Column("counted", sa.Integer, nullable=False, server_default=sa.text("0")),
)
REVIEW_ITEMS = sa.Table(
    "review_items",
    METADATA,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("answer_id", sa.ForeignKey("answers.id", ondelete="CASCADE"), nullable=False, unique=True),
    # Columns of the answer that are filtered by stand here too: rows are short, and all of them are read in no time.
    sa.Column("asked_at", UtcDateTime, nullable=False, index=True),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("language", sa.String(8), nullable=False),
    sa.Column("rating", sa.String(8), nullable=False),
    sa.Column("reasons", sa.Integer, nullable=False),
    sa.Column("priority", sa.Integer, nullable=False),
    sa.Column("state", sa.String(8), nullable=False),
    sa.Column("assignee", sa.String(64), nullable=False, index=True),
    sa.Column("taken_until", UtcDateTime),
    sa.Index("review_items_in_order", "state", "priority", "asked_at", "number"),
    sa.Index("review_items_all_in_order", "priority", "asked_at", "number"),
    sa.Index("review_items_counted", "reasons", "state", "priority"),
)
VERDICTS = sa.Table(
    "verdicts",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("answer_id", sa.ForeignKey("answers.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("reviewer", sa.String(64), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("verdict", sa.String(24), nullable=False),
    sa.Column("comment", sa.Text, nullable=False),
    sa.Column("index_fingerprint", sa.String(64), nullable=False),
)
CITATION_VERDICTS = sa.Table(
    "citation_verdicts",
    METADATA,
    sa.Column("verdict_id", sa.ForeignKey("verdicts.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("verdict", sa.String(16), nullable=False),
    sa.Column("passage_hash", sa.String(64), nullable=False),
)
RIGHT_PASSAGES = sa.Table(
    "right_passages",
    METADATA,
    sa.Column("verdict_id", sa.ForeignKey("verdicts.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("document_id", sa.String, nullable=False),
    sa.Column("start", sa.Integer, nullable=False),
    sa.Column("end", sa.Integer, nullable=False),
    sa.Column("quote", sa.Text, nullable=False),
    sa.Column("passage_hash", sa.String(64), nullable=False),
)
GOLDEN_PROPOSALS = sa.Table(
    "golden_proposals",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("answer_id", sa.ForeignKey("answers.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("entry", sa.Text, nullable=False),
    sa.Column("suite", sa.Text, nullable=False),
    sa.Column("state", sa.String(16), nullable=False, index=True),
    sa.Column("proposed_by", sa.String(64), nullable=False),
    sa.Column("proposed_at", UtcDateTime, nullable=False),
    sa.Column("decided_by", sa.String(64), nullable=False, server_default=sa.text("''")),
    sa.Column("decided_at", UtcDateTime),
)
APPROVED = sa.Table(
    "approved",
    METADATA,
    sa.Column("id", sa.String(32), primary_key=True),
    # The answer is deleted when its time is over; what was approved stays, for it names no reader.
    sa.Column("answer_id", sa.ForeignKey("answers.id", ondelete="SET NULL"), index=True),
    sa.Column("question", sa.Text, nullable=False),
    sa.Column("language", sa.String(8), nullable=False),
    sa.Column("answer", sa.Text, nullable=False),
    sa.Column("approved_by", sa.String(64), nullable=False),
    sa.Column("approved_at", UtcDateTime, nullable=False),
    sa.Column("withdrawn_by", sa.String(64), nullable=False, server_default=sa.text("''")),
    sa.Column("withdrawn_at", UtcDateTime, index=True),
)
APPROVED_PASSAGES = sa.Table(
    "approved_passages",
    METADATA,
    sa.Column("approved_id", sa.ForeignKey("approved.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("document_id", sa.String, nullable=False, index=True),
    sa.Column("passage_hash", sa.String(64), nullable=False),
)
TASKS = sa.Table(
    "tasks",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("kind", sa.String(32), nullable=False),
    # What it is about; for an approved answer that was withdrawn, that answer.
    sa.Column("approved_id", sa.ForeignKey("approved.id", ondelete="CASCADE"), index=True),
    sa.Column("details", sa.Text, nullable=False),
    sa.Column("made_at", UtcDateTime, nullable=False),
    sa.Column("done_by", sa.String(64), nullable=False, server_default=sa.text("''")),
    sa.Column("done_at", UtcDateTime, index=True),
)
CHOSEN_SETTINGS = sa.Table(
    "chosen_settings",
    METADATA,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("value", sa.Float, nullable=False),
    sa.Column("before", sa.Float, nullable=False),
    sa.Column("chosen_by", sa.String(64), nullable=False),
    sa.Column("chosen_at", UtcDateTime, nullable=False),
)

RECORDS = Migration(
    "The records", Path(__file__).parent / "migrations" / "versions", head="0008", version_table="records_version"
)
