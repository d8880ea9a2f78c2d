"""A month of made-up events of two AI systems, with incidents planted in it."""
