"""Golden suites: their format, every mistake in one, and the forms they are written in."""
