"""Who is asking: tenants, users, API keys, and sessions with their tokens."""
