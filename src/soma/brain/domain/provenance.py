"""Fields of a provenance that say what the system knows; nobody else writes them."""

RESERVED = frozenset(
    """
    trace_id source_turn source_request agent_id input_hash kind recalled_from session hashed
    capsule_id capsule_version capsule_block capsule_digest capsule_issuer
    """.split()
)
