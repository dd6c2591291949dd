"""Health checks, one kind a module: each says what it found and what to do. The worst one decides the exit code."""

from bot.doctor.examine import examine
from bot.doctor.finding import Check

__all__ = ["Check", "examine"]
