"""Known shapes of events: schemas that need no declaration of columns."""
