"""The database: there, and whole."""

from __future__ import annotations

import os

from bot.doctor.finding import Check
from bot.settings import Settings
from index.catalogue import Catalogue


def has_database(settings: Settings) -> bool:
    """Return whether there is a database, without making one."""
    if settings.database_url or not os.access(settings.data_dir, os.X_OK):
        return bool(settings.database_url) or settings.data_dir.exists()  # what is kept from us is there
    return (settings.data_dir / "footnote.db").exists()


def check_database(catalogue: Catalogue) -> Check:
    """Have the database, which could be opened, look at itself."""
    if problem := catalogue.find_damage():
        advice = "restore a backup with `footnote restore`, or index the folders into a new --data-dir"
        return Check(name="database", state="failed", message=f"is damaged ({problem}): {advice}")
    return Check(name="database", state="ok", message="opens and is whole")
