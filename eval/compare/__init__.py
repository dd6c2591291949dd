"""Two runs of golden suites side by side: what differs, how sure that is, and which document did it."""
