"""What every tier stands on: clock, ids, errors, canonical JSON, crypto, tenancy, configuration."""
