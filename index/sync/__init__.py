"""Folder to index: what a run is interrupted at, the next one takes up.

scan       which files there are, and their hashes
run        which are new, changed, gone, unchanged; read, split, stage, publish
stage      embed, and put into the database beside the live versions
findings   what became of each file
report     what the run did
"""

from index.sync.report import Failure, Progress, SyncReport
from index.sync.run import synchronise

__all__ = ["Failure", "Progress", "SyncReport", "synchronise"]
