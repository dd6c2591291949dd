"""Accounts, logins and sessions as the database keeps them, and the audit that only grows."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from bot.answer.errors import AccountError
from bot.cli import footnote
from bot.staff import accounts as passwords
from bot.staff.accounts import Account, Accounts, hash_password, is_password
from bot.staff.sessions import FREE_TRIES, Login, Sessions, Wait
from bot.storage.answers import AnswerRecords
from bot.storage.audit import audit, audit_entries
from bot.storage.schema import ACCOUNTS, AUDIT, LOGIN_FAILURES, SESSIONS

PASSWORD = "correct horse battery staple"


class Clock:
    """Says what time it is, and can be put forward."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 28, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **how_long: float) -> None:
        self.now += timedelta(**how_long)


@pytest.fixture
def records(database_url: str) -> Iterator[AnswerRecords]:
    with closing(AnswerRecords(database_url)) as records:
        yield records


@pytest.fixture
def accounts(records: AnswerRecords) -> Accounts:
    accounts = Accounts(records.engine)
    accounts.add("(test)", "anna", "admin", PASSWORD)
    return accounts


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def login(records: AnswerRecords, accounts: Accounts, clock: Clock) -> Login:
    return Login(records.engine, accounts, clock)


@pytest.fixture
def sessions(records: AnswerRecords, clock: Clock) -> Sessions:
    return Sessions(records.engine, timedelta(hours=1), timedelta(hours=12), clock)


def test_a_password_is_kept_as_an_argon2_hash_alone(records: AnswerRecords, accounts: Accounts) -> None:
    assert accounts.check("anna", PASSWORD) is not None
    for name, password in (("anna", PASSWORD + " "), ("anna", ""), ("ANNA", PASSWORD), ("nobody", PASSWORD)):
        assert accounts.check(name, password) is None
    with records.engine.connect() as connection:
        kept = connection.scalar(sa.select(ACCOUNTS.c.password_hash))
    assert kept.startswith("$argon2id$")
    assert PASSWORD not in kept


def test_a_short_password_or_a_strange_name_makes_no_account(accounts: Accounts) -> None:
    for name, password in (
        ("bob", "short"),
        ("bob", "x" * 1_001),
        ("", PASSWORD),
        ("(terminal)", PASSWORD),
        ("a/b", PASSWORD),
    ):
        with pytest.raises(AccountError):
            accounts.add("(test)", name, "staff", password)
    with pytest.raises(AccountError, match="already"):
        accounts.add("(test)", "anna", "staff", PASSWORD)
    assert [account.name for account in accounts.all()] == ["anna"]


def test_of_two_admins_who_add_the_same_name_at_once_one_is_told(records: AnswerRecords, accounts: Accounts) -> None:
    begin = threading.Barrier(2)

    def add(actor: str) -> str:
        begin.wait()
        try:
            accounts.add(actor, "berta", "staff", PASSWORD)
        except AccountError as error:
            return str(error)
        return ""

    for _ in range(5):
        with ThreadPoolExecutor(2) as pool:
            said = sorted(pool.map(add, ("anna", "carl")))
        assert said == ["", "There is an account 'berta' already: choose another name."]
        accounts.remove("(test)", "berta")
    with records.engine.connect() as connection:
        assert len(list(audit_entries(connection, action="account.add"))) == 6


def test_an_account_without_a_password_cannot_log_in_with_one(accounts: Accounts) -> None:
    accounts.add("(test)", "olga", "staff", None)
    assert accounts.check("olga", "") is None
    assert accounts.check("olga", PASSWORD) is None


def test_a_wrong_name_takes_as_long_as_a_wrong_password() -> None:
    """The same work is done for both: the hash that a name of nobody's is compared with has the same parameters."""
    assert not passwords._hasher.check_needs_rehash(passwords._NOBODYS)
    kept = hash_password(PASSWORD)

    def seconds(password_hash: str) -> float:
        begun = time.process_time()
        assert not is_password("wrong", password_hash)
        return time.process_time() - begun

    known, unknown = ([seconds(one) for _ in range(5)] for one in (kept, ""))
    assert 0.3 < statistics.median(known) / statistics.median(unknown) < 3


def test_w6_ten_wrong_tries_bring_a_wait_that_grows_and_passes(login: Login, clock: Clock) -> None:
    for _ in range(FREE_TRIES):
        assert login.try_password("anna", "wrong", "10.0.0.1") is None
    waits = []
    for _ in range(4):
        wait = login.try_password("anna", PASSWORD, "10.0.0.1")
        assert isinstance(wait, Wait), "the right password was looked at"
        waits.append(wait.seconds)
        clock.pass_by(seconds=wait.seconds)
        assert login.try_password("anna", "wrong", "10.0.0.1") is None
    assert waits == [2, 4, 8, 16]
    clock.pass_by(minutes=15)
    assert isinstance(login.try_password("anna", PASSWORD, "10.0.0.1"), Account)
    assert isinstance(login.try_password("anna", PASSWORD, "10.0.0.1"), Account)


def test_w6_tries_at_once_are_no_way_round_the_wait(login: Login) -> None:
    with ThreadPoolExecutor(12) as pool:
        tries = list(pool.map(lambda _: login.try_password("anna", "wrong", "10.0.0.1"), range(30)))
    assert sum(one is None for one in tries) == FREE_TRIES


def test_w6_an_address_that_tries_many_names_waits_too(login: Login) -> None:
    for number in range(FREE_TRIES):
        assert login.try_password(f"name{number}", "wrong", "10.0.0.1") is None
    assert isinstance(login.try_password("another", "wrong", "10.0.0.1"), Wait)
    assert login.try_password("another", "wrong", "10.0.0.2") is None


def test_w6_whoever_guesses_from_everywhere_cannot_keep_the_owner_out(login: Login, clock: Clock) -> None:
    assert isinstance(login.try_password("anna", PASSWORD, "192.168.1.5"), Account)
    for number in range(40):
        login.try_password("anna", "wrong", f"10.0.0.{number}")
        clock.pass_by(seconds=31)
    login.try_password("anna", "wrong", "10.0.1.1")
    assert isinstance(login.try_password("anna", PASSWORD, "192.168.1.5"), Account), "her own place is known"
    for number in range(FREE_TRIES + 5):
        login.try_password("anna", "wrong", f"10.0.2.{number}")
    wait = login.try_password("anna", PASSWORD, "172.16.0.1")
    assert isinstance(wait, Wait)
    assert wait.seconds <= 30, "nor for long anywhere else"


def test_what_was_tried_is_kept_as_hashes_and_a_wrong_name_nowhere(login: Login, records: AnswerRecords) -> None:
    login.try_password("hunter2-typed-as-a-name", "wrong", "203.0.113.9")
    login.try_password("anna", "wrong", "203.0.113.9")
    with records.engine.connect() as connection:
        kept = repr(connection.execute(sa.select(LOGIN_FAILURES)).all()) + repr(list(audit_entries(connection)))
        refused = [entry.subject for entry in audit_entries(connection, action="session.refuse")]
    assert refused == ["anna", "(unknown name)"]
    assert "hunter2" not in kept
    assert "203.0.113.9" not in kept


def test_a_session_ends_when_idle_and_when_old(sessions: Sessions, accounts: Accounts, clock: Clock) -> None:
    token = sessions.open("anna", "password")
    for _ in range(13):
        clock.pass_by(minutes=50)
        session = sessions.find(token)
        assert session is not None
        assert (session.account, session.role) == ("anna", "admin")
    clock.pass_by(minutes=61)
    assert sessions.find(token) is None
    token = sessions.open("anna", "password")
    for _ in range(14):
        clock.pass_by(minutes=50)
        sessions.find(token)
    clock.pass_by(minutes=50)
    assert sessions.find(token) is None, "twelve hours are over"


def test_the_database_holds_no_token(sessions: Sessions, accounts: Accounts, records: AnswerRecords) -> None:
    token = sessions.open("anna", "password")
    with records.engine.connect() as connection:
        kept = connection.execute(sa.select(SESSIONS)).all()
    assert token not in repr(kept)
    assert sessions.find(kept[0].token_hash) is None
    assert sessions.find("") is None


def test_all_sessions_can_be_ended(sessions: Sessions, accounts: Accounts) -> None:
    accounts.add("(test)", "bob", "staff", PASSWORD)
    tokens = [sessions.open(name, "password") for name in ("anna", "anna", "bob")]
    assert sessions.counts() == {"anna": 2, "bob": 1}
    assert sessions.end_all("(test)", "anna") == 2
    assert [sessions.find(token) is not None for token in tokens] == [False, False, True]
    assert sessions.end_all("(test)") == 1


def test_the_database_refuses_to_change_or_delete_an_audit_entry(records: AnswerRecords) -> None:
    with records.engine.begin() as connection:
        audit(connection, "anna", "thing.change", "it", {"value": 1}, {"value": 2})
    for statement in (AUDIT.update().values(actor="nobody"), AUDIT.delete()):
        with pytest.raises(sa.exc.DatabaseError, match="only added to"), records.engine.begin() as connection:
            connection.execute(statement)
    if records.engine.dialect.name == "postgresql":
        with pytest.raises(sa.exc.DatabaseError, match="only added to"), records.engine.begin() as connection:
            connection.execute(sa.text("TRUNCATE audit"))
    with records.engine.connect() as connection:
        (entry,) = audit_entries(connection)
    assert (entry.actor, entry.subject, entry.before, entry.after) == ("anna", "it", {"value": 1}, {"value": 2})


def test_no_code_of_ours_changes_or_deletes_an_audit_entry() -> None:
    for path in (Path(__file__).parent.parent.parent / "bot").rglob("*.py"):
        text = path.read_text("utf-8")
        assert not [call for call in ("AUDIT.update", "AUDIT.delete") if call in text], path


def test_what_fails_leaves_no_audit_entry(accounts: Accounts, records: AnswerRecords) -> None:
    with pytest.raises(AccountError):
        accounts.remove("anna", "anna")  # the only admin
    with pytest.raises(AccountError):
        accounts.set_role("anna", "nobody", "staff")
    with records.engine.connect() as connection:
        assert [entry.action for entry in audit_entries(connection)] == ["account.add"]


# The commands


def run(tmp_path: Path, *arguments: str, given: str = "") -> tuple[int, str]:
    result = CliRunner().invoke(footnote, ["user", *arguments, "--data-dir", str(tmp_path)], input=given)
    return result.exit_code, result.output + str(result.exception or "")


def test_accounts_are_kept_from_the_terminal(tmp_path: Path) -> None:
    assert run(tmp_path, "list", "--json") == (0, "[]\n")
    assert "no terminal" in run(tmp_path, "add", "anna", "--role", "admin")[1]
    assert "at least 12" in run(tmp_path, "add", "anna", "--role", "admin", "--password-file", "-", given="short\n")[1]
    assert run(tmp_path, "add", "anna", "--role", "admin", "--password-file", "-", given=PASSWORD + "\n")[0] == 0
    kept = tmp_path / "password.txt"
    kept.write_text("another long password\n")
    assert run(tmp_path, "password", "anna", "--password-file", str(kept))[0] == 0
    assert run(tmp_path, "role", "anna", "--role", "staff")[0] == 0
    assert "anna" in run(tmp_path, "list")[1]
    assert run(tmp_path, "sessions", "end") == (0, "Ended 0 sessions.\n")
    with closing(AnswerRecords(f"sqlite:///{tmp_path / 'footnote.db'}")) as records:
        assert Accounts(records.engine).check("anna", "another long password") is not None
    assert run(tmp_path, "remove", "anna")[0] == 0
    assert "no account 'anna'" in run(tmp_path, "remove", "anna")[1]


def test_a_password_is_no_argument_of_any_command() -> None:
    add = footnote.get_command(None, "user").commands["add"]  # type: ignore[arg-type, union-attr]
    assert not [parameter for parameter in add.params if parameter.name == "password"]
