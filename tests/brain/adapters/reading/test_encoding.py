"""soma.brain.adapters.reading.encoding"""

import pytest

from soma.brain.adapters.reading.encoding import decoded

pytestmark = pytest.mark.req("RAG-001")

GERMAN = "Über den Flüssen liegt früh am Morgen der Nebel; später löst er sich auf. " * 8


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])
def test_a_text_tells_its_encoding_itself(encoding: str) -> None:
    assert decoded(GERMAN.encode(encoding)) == GERMAN


def test_what_the_sender_says_counts_before_what_the_page_says() -> None:
    page = f'<meta charset="koi8-r"><p>{GERMAN}'

    assert decoded(page.encode("latin-1"), charset="latin-1", html=True) == page
    cyrillic = '<meta charset="koi8-r"><p>Река поднялась.'
    assert decoded(cyrillic.encode("koi8-r"), html=True) == cyrillic


def test_a_mark_counts_before_what_anybody_says() -> None:
    assert decoded(GERMAN.encode("utf-8-sig"), charset="latin-1") == GERMAN
