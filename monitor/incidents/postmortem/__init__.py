"""Post-mortems: filled from the timeline where it knows, left to persons where it does not."""
