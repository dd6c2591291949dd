"""The gate: rules in a file, checked on a run, for whoever must decide whether a version may go out."""
