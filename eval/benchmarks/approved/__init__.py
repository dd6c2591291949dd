"""How often an approved answer is shown for its question in other words, and for another question."""
