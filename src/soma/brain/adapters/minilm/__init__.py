"""all-MiniLM-L6-v2 on the CPU: from published weights to a checked graph, and from texts to vectors."""
