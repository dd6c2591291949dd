"""Bringing the index in line with folders. A run that was interrupted is completed by the next one."""

from index.sync.sync import synchronise
from index.sync.sync_report import Failure, SyncProgress, SyncReport

__all__ = ["Failure", "SyncProgress", "SyncReport", "synchronise"]
