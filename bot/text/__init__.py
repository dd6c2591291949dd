"""What in a text can be true or false: numbers, dates, times, names, negations, comparisons."""
