"""The measures, one file an idea. All are deterministic: equal answers get equal scores."""
