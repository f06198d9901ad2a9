"""The use cases of this tier, one a file."""
