"""How fast, side by side in one run: the llama-index starter, our plain path, and what Footnote does by default.

contenders.py   what is measured of each: index, index again, retrieve
child.py        one contender in a process of its own, so that its memory is its own
serving.py      `footnote serve`: until its page, until its first evidence
measure.py      all of them in turn, several times
report.py       medians, spread and ratios
plot.py         the same as bars
command.py      `footnote eval speed`
"""
