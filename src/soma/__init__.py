"""SomaStack: a runtime for governed agents that learn."""

__version__ = "0.1.0"
