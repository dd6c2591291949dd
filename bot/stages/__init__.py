"""The stages of an answer, in order: question, evidence, judgement, writing, checking."""
