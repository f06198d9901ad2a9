"""Plain records of this tier."""
