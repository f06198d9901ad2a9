"""The commands of `somagent events`."""
