"""Public sets asked and measured.

public_set.py                  a folder to its questions, the documents each is asked of, and what counts as right
stored_answer.py               an answer as it is kept, and what it depends on
set_run.py, starter.py         asks the chatbot, or llama-index's chat engine, what has no stored answer yet
set_measures.py                every measure of a stored answer, and of all of a set
published_figures.py           what others report about a set
set_report.py                  the report of `footnote eval benchmark`
retrieval_steps.py             what each part of retrieval is worth: `footnote eval retrieval`
"""
