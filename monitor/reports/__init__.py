"""Reports for people: rendered from what was counted, or from rows that are read again."""
