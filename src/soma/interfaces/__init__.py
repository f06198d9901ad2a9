"""The faces: HTTP, the console page and the command line. They translate and hold no business rules."""
