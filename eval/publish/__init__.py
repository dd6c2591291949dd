"""Figures of reports put into a Markdown file, so that no number in it was typed by hand.

tables.py    a report to the tables it is published as
blocks.py    the marked places of a Markdown file, and which table goes where
command.py   `footnote eval publish`
"""
