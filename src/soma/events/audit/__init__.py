"""The audit chain: what proves that the log is what was recorded."""
