"""What kind of utterance a text is: does it tell something that is worth recalling as evidence?"""

import re
from enum import StrEnum


class UtteranceKind(StrEnum):
    """A statement tells something; a question or a bare command only asks for it; a reply is an assistant's,
    made from what it was told, or made up. A document is nobody's utterance: what it says is told."""

    STATEMENT = "statement"
    QUESTION = "question"
    COMMAND = "command"
    REPLY = "reply"
    DOCUMENT = "document"


ASSISTANT = "assistant"
QUESTION_WORDS = frozenset("what who whom whose which when where why how".split())
AUXILIARIES = frozenset(
    """
    am is are was were do does did have has had can could will would shall should may might must
    isn't aren't wasn't weren't don't doesn't didn't haven't hasn't can't couldn't won't wouldn't shouldn't
    """.split()
)
SUBJECTS = frozenset(
    """
    i you he she it we they this that these those there a an the my your his her its our their
    anyone anybody someone somebody
    """.split()
)
COMMANDS = frozenset(
    """
    tell show give list explain describe define calculate compute add multiply divide subtract solve translate
    summarise summarize write rewrite draft compose generate create make find search look fetch repeat say
    answer compare recommend convert count sort check help continue stop
    """.split()
)
"""Left out are "remember", "note" and "call me": what follows them is told, not asked for."""

FRAME = re.compile(
    r"^(?:(?:hi|hey|hello|ok|okay|so|and|but|well|now|then|thanks|please)\b[\s,.!]*)+", re.IGNORECASE
)
"""What may stand before the sentence proper."""

SENTENCE = re.compile(r"[^.!?\n]+[.!?]*")
WORD = re.compile(r"[\w']+")
CONTRACTED_VERB = re.compile(r"\b(what|who|where|when|why|how)'?(?:s|re|d|ll)\b")
"""With its apostrophe or without: "what's" and "whats" are both "what is"."""


def utterance_kind(text: str, *, role: str) -> UtteranceKind:
    """The kind of `text`, said by `role`: an assistant's is a reply. Anybody else's is judged by its
    sentences: a statement if any of them is one, else what the last one is. A rule of thumb for English;
    what it does not understand is a statement, since losing a fact is worse than keeping a question.

    Replies are kept apart because they come nearer to a question than the fact that answers it. To "What is
    my dog's name?" the cosine of "My dog is called Rex" is .65, of "Your dog's name is Max" .73, of "I don't
    know what your dog's name is" .81.
    """
    if role == ASSISTANT:
        return UtteranceKind.REPLY
    kinds = [_sentence_kind(sentence) for sentence in SENTENCE.findall(text) if WORD.search(sentence)]
    if not kinds or UtteranceKind.STATEMENT in kinds:
        return UtteranceKind.STATEMENT
    return kinds[-1]


def _sentence_kind(sentence: str) -> UtteranceKind:
    if sentence.rstrip().endswith("?"):
        return UtteranceKind.QUESTION
    first, second = _opening(sentence)
    if _asks(first, second):
        return UtteranceKind.QUESTION
    return UtteranceKind.COMMAND if first in COMMANDS else UtteranceKind.STATEMENT


def _opening(sentence: str) -> tuple[str, str]:
    text = CONTRACTED_VERB.sub(r"\1 is", FRAME.sub("", sentence.strip()).lower().replace("’", "'"))
    words = WORD.findall(text)
    return words[0] if words else "", words[1] if len(words) > 1 else ""


def _asks(first: str, second: str) -> bool:
    """Without its mark, a question is known by its order: "what is", "how many", "did you"; but not "when I
    was small", "Will is my brother"."""
    if first in QUESTION_WORDS:
        return second not in SUBJECTS
    return first in AUXILIARIES and second in SUBJECTS
