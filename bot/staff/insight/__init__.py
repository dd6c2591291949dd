"""What the records tell beyond single answers: what is asked in vain, what is never cited, where a threshold errs."""
