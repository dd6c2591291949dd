"""Footnote as a server of the Model Context Protocol: its tools are `answer` and `search`."""
