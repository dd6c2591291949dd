"""Stage 3: whether the evidence answers the question, how sure that is, and the refusal where it does not."""
