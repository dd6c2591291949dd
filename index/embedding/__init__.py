"""Text to vectors by a sentence-transformers model, compiled for this processor where that gives the same vectors."""
