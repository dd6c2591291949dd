"""Stage 2: the sentences of the retrieved chunks that may answer, each with its span and its score."""
