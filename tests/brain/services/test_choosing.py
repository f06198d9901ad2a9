"""soma.brain.services.choosing"""

from typing import Any
from uuid import UUID

import numpy as np
import pytest

from soma.base.errors import InvalidInput
from soma.brain.api import Brain, Embedder, Evidence, RecallRequest
from tests.brain.turns import told

pytestmark = pytest.mark.req("MEM-002")

QUERY = "What do I know about my dog Rex?"
ALIKE = [f"My dog Rex likes {what} sausages." for what in ("big", "small", "warm", "cold")]
OTHERS = ["My dog was born in Porto in May.", "The dog sleeps beside the kitchen stove."]


def ask(brain: Brain, tenant: UUID, **changes: Any) -> list[Evidence]:
    values = {"tenant_id": tenant, "agent_id": None, "namespace": "n", "query": QUERY, "top_k": 3}
    return list(brain.recall(RecallRequest(**values | changes)).evidence)


def likeness(embedder: Embedder, evidence: list[Evidence]) -> float:
    vectors = embedder.embed([each.content for each in evidence])
    return float(np.triu(vectors @ vectors.T, 1).max())


def test_diversity_gives_places_to_what_is_unlike(brain: Brain, embedder: Embedder, tenant: UUID) -> None:
    brain.remember(tenant, [told(text) for text in (*ALIKE, *OTHERS)])
    plain, varied = ask(brain, tenant), ask(brain, tenant, diversity=0.5)
    assert {each.content for each in plain} <= set(ALIKE)
    assert varied[0].content == plain[0].content
    assert {each.content for each in varied} & set(OTHERS)
    assert likeness(embedder, varied) < likeness(embedder, plain)
    assert sum(each.probability for each in varied) == pytest.approx(1.0)
    none = ask(brain, tenant, diversity=0.0)
    assert [each.record_id for each in none] == [each.record_id for each in plain]


@pytest.mark.parametrize("diversity", [-0.1, 1.1, float("nan")])
def test_what_is_no_share_is_refused(brain: Brain, tenant: UUID, diversity: float) -> None:
    with pytest.raises(InvalidInput, match="diversity"):
        ask(brain, tenant, diversity=diversity)


@pytest.mark.parametrize("diversity", [0.0, 0.3])
def test_the_very_same_text_never_fills_two_places(brain: Brain, tenant: UUID, diversity: float) -> None:
    """Keys that were told apart and then rewritten to say one thing."""
    brain.remember(tenant, [told(text, key=text) for text in ALIKE])
    brain.remember(tenant, [told("My dog is called  Rex.", key=text) for text in ALIKE[:2]])
    brain.remember(tenant, [told("My dog is called Rex.", key=ALIKE[2])])
    found = ask(brain, tenant, diversity=diversity)
    said = [" ".join(each.content.split()) for each in found]
    assert sorted(said) == sorted(["My dog is called Rex.", ALIKE[3]])
    assert sum(each.probability for each in found) == pytest.approx(1.0)
