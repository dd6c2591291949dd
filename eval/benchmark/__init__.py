"""Public sets asked and measured, from the folder to the report.

protocols.toml, protocol.py         what counts as right in which set
sets.py                             a folder to its questions, and the documents each is asked of
respondent.py                       who is asked: the chatbot
starter.py                          or the chat engine people start from
measured.py                         what answers depend on, and its fingerprint
record.py, answers.py               an answer as it is kept, and the file that a killed run takes up again
run.py                              asks what has no stored answer yet

From here on questions and stored answers are enough; nothing is asked again.

wording.py, right.py                whether a text says what a set accepts
outcome.py                          every measure of one question
confidence.py                       whether confidence means what it says; other thresholds
score.py, report.py, command.py     all questions of a set, the report, `footnote eval benchmark`
"""
