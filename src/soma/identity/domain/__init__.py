"""Plain records and rules of this tier."""
