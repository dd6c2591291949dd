"""Stage 5: each draft against the passages it cites, and what other passages say otherwise."""
