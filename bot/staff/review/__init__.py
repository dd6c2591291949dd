"""Checking answers: which deserve a look, who looks at them, what was found, and what becomes of it."""
