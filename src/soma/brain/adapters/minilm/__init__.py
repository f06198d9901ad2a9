"""all-MiniLM-L6-v2 on the CPU: from published weights to an ONNX graph, checked, and from texts to vectors."""
