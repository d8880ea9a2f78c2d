"""Numbers and categories computed from the text of an output; the text itself is not kept."""
