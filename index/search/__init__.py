"""Question to chunks: keywords and vectors, fused."""
