"""Health checks, one kind a module: each says what it found and what to do. The worst one decides the exit code."""

from bot.operations.doctor.examine import examine
from bot.operations.doctor.finding import Check

__all__ = ["Check", "examine"]
