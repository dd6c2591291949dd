"""For operators of a running Footnote: metrics, traces, logs, health. None of it holds a question or an answer."""
