"""Stage 1: what is asked, as a question that stands alone and can be searched for."""
