"""Drafts for people outside and inside, made of nothing but what a timeline holds."""
