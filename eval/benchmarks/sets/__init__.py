"""Public sets asked and measured, from the folder to the report.

protocols.toml, protocol.py         what counts as right in which set
sets.py                             a folder to its questions, and the documents each is asked of
respondent.py                       who is asked: the chatbot, for an answer or for a search alone
starter.py                          or the chat engine people start from
openers.py                          chooses between them
measured.py                         what answers depend on, and its fingerprint
record.py, answers.py               an answer as it is kept, and the file that a killed run takes up again
run.py                              asks what has no stored answer yet

From here on questions and stored answers are enough; nothing is asked again.

wording.py, right.py                whether a text says what a set accepts
outcome.py, ranking.py              every measure of one question: its answer, its retrieved documents
confidence.py                       whether confidence means what it says; other thresholds
score.py                            all questions of a set
published.toml, published.py        what others report about it
report.py, printed.py, command.py   the report, in a terminal, `footnote eval benchmark`
steps.py, steps_command.py          what each part of retrieval is worth, `footnote eval retrieval`
"""
