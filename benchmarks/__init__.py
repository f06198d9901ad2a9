"""Measurements of SomaStack, as JSON lines. See CONTRIBUTING.md; run with `make bench`."""
