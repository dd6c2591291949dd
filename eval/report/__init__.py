"""The report of a run: in a file, in a terminal, as one HTML page, and as tables in a Markdown file."""
