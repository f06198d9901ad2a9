"""soma.brain.domain.echo"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soma.brain.domain.echo import without_echo

pytestmark = pytest.mark.req("MEM-001")

DOG, HOME = "My dog is called Rex.", "I have lived in Lisbon since 2019. I like the light there."
EVIDENCE = (DOG, HOME)


@pytest.mark.parametrize(
    "reply",
    [
        DOG,
        "my dog is called rex",
        "Your dog is called Rex!",
        "You told me that your dog is called Rex.",
        "Rex.",
        "You have lived in Lisbon since 2019.",
        "Your dog is called Rex. You like the light there.",
        "Your dog is called Rex. Ok!",
    ],
)
def test_a_reply_that_only_repeats_leaves_nothing(reply: str) -> None:
    assert without_echo(reply, EVIDENCE).content == ""


@pytest.mark.parametrize(
    "reply",
    [
        "Your dog is not called Rex.",
        "You have lived in Lisbon since 2021.",
        "Rex and Bella are two good dogs.",
        "Dogs need to walk twice a day.",
        "Hello!",
    ],
)
def test_what_says_something_else_stays_as_it_is(reply: str) -> None:
    assert without_echo(reply, EVIDENCE).content == reply


def test_only_what_is_new_is_left() -> None:
    left = without_echo("Your dog is called Rex. The vet opens at nine. You like the light there.", EVIDENCE)
    assert (left.content, left.repeated, left.sentences) == ("The vet opens at nine.", 2, 3)


def test_without_evidence_nothing_is_a_repeat() -> None:
    assert without_echo(DOG, ()).content == DOG


PARTS = st.sampled_from(
    ["My dog is called Rex.", "I live in Lisbon!", "Ada likes tea", "We met in 2019.", "Ok."]
)


@given(st.lists(PARTS, min_size=1, max_size=4), st.data())
def test_any_part_of_the_evidence_in_any_order_leaves_nothing(parts: list[str], data: st.DataObject) -> None:
    echoed = data.draw(st.lists(st.sampled_from(parts), min_size=1, max_size=4))
    assert (
        without_echo(
            " ".join(f"{each} " if each[-1] in ".!" else f"{each}." for each in echoed), parts
        ).content
        == ""
    )
