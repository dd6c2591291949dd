"""Suites written as spreadsheets, one row a question: `.csv` and `.xlsx` read into the entries that YAML gives."""
