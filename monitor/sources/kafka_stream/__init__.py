"""Behind the source `kafka`: two clients, who owns which partition, and what can go wrong."""
