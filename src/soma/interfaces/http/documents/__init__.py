"""What crosses the edge: the JSON documents of requests and responses."""
