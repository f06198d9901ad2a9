"""Replay: a turn rebuilt from the log alone, or run again."""
