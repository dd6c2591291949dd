"""Stage 4: drafts of statements, quoted from the evidence or written by a language model."""
