"""The commands of `somagent audit`, one a file."""
