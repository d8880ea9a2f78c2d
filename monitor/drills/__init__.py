"""Practice: planted breaches in databases of their own, and a responder that follows a script."""
