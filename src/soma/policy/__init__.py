"""Decisions: who may do what, by Rego policies that stand in files, failing closed."""
