"""Answers that a person has approved: shown again for the same question, for as long as their passages stand."""
