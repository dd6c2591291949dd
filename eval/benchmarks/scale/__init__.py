"""How size changes the time and the room that an index takes. Never about quality: most passages are made up.

vary.py         real passages to as many different ones as are wanted, with vectors
build.py        a catalogue and a generation of one size, through the code that indexes; goes on after a kill
child.py        memory and waiting times of one size, in a process of its own
measure.py      all sizes in turn
report.py       what was found: JSON and a table
plot.py         growth curves
command.py      `footnote eval scale`
"""
