"""Tests that users write for their own policy: short made-up series and expected states."""
