"""The commands of `somagent memory`, one a file."""
