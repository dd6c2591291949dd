"""The values that pass between the stages of an answer and out of the bot. Frozen; no input or output."""
