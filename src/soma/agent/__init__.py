"""SomaAgent01: conversations, turns, the learning loop, models and tools."""
