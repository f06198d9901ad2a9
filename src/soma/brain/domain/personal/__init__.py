"""Finding personal data and secrets in texts."""
