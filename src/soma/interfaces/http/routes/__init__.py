"""The operations, one face of the public surface a file."""
