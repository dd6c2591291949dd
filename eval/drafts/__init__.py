"""Golden questions drafted from the documents, for a person to confirm."""
