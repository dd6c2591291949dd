"""Backups: everything that cannot be built again, in one file."""
