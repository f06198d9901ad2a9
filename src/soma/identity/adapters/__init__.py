"""Stores that forget, one technology a file."""
