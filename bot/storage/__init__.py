"""Tables of our own in the database of the index: answers on record, links, keys, the audit; and the backup of all."""
