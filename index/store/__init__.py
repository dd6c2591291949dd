"""The database: the truth about documents, chunks, hashes and vectors."""
