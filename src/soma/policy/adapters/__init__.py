"""Policy engines, one technology a file."""
