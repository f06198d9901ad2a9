"""What ranking looks at in texts that were looked at before."""

from functools import lru_cache

from soma.brain.domain.text_facts import text_facts

RECENT_TEXTS = 2048

facts_of = lru_cache(maxsize=RECENT_TEXTS)(text_facts)
"""The items of a conversation are the same at every turn but for two."""
