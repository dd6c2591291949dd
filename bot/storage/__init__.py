"""What readers asked and were answered, kept for the staff who check it: tables of their own in our database."""
