"""A language model's opinion of the answers of a finished run: repeated, with its agreement, never part of a gate."""
