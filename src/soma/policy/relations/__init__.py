"""What relations permit: the schema in SpiceDB's language, and its meaning over a set of relationships."""
