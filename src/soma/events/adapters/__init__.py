"""One technology a file, named after its port."""
