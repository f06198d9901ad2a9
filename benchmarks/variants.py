"""The same conversations told in other ways: what recall must not depend on."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import groupby

from benchmarks.conversations import BEGINNING, Conversation, Question, Turn

MERGED, PAIR, LONG = "+", 2, 8
"""Between the ids of turns that became one; how many became one."""

SENTENCE_END = re.compile(r"(?<=[.!?]) +")

Variant = Callable[[Sequence[Conversation]], list[Conversation]]


def as_told(told: Sequence[Conversation]) -> list[Conversation]:
    """Nothing changed."""
    return list(told)


def without_speakers(told: Sequence[Conversation]) -> list[Conversation]:
    """Nobody knows who says what."""
    return [_turned(each, lambda turn: replace(turn, speaker="")) for each in told]


def as_roles(told: Sequence[Conversation]) -> list[Conversation]:
    """The first who speaks is the user, everybody else the assistant."""
    return [_with_roles(each) for each in told]


def in_first_person(told: Sequence[Conversation]) -> list[Conversation]:
    """As `as_roles`, and the user asks: of what they said themselves as "I", of the other as "you"."""
    return [
        replace(_with_roles(each), questions=tuple(_asked_by_user(each, asked) for asked in each.questions))
        for each in told
    ]


def in_one_session(told: Sequence[Conversation]) -> list[Conversation]:
    """Without a pause."""
    return [_turned(each, lambda turn: replace(turn, session="1")) for each in told]


def without_sessions(told: Sequence[Conversation]) -> list[Conversation]:
    """Nobody knows what belongs together."""
    return [_turned(each, lambda turn: replace(turn, session="")) for each in told]


def at_one_moment(told: Sequence[Conversation]) -> list[Conversation]:
    """All of it has the same time."""
    return [_turned(each, lambda turn: replace(turn, said_at=BEGINNING)) for each in told]


def in_short_messages(told: Sequence[Conversation]) -> list[Conversation]:
    """Each sentence is sent by itself; all those of a turn are evidence where it was."""
    return [_split(each) for each in told]


def undated(told: Sequence[Conversation]) -> list[Conversation]:
    """Nobody knows when; the order stays."""
    return [
        replace(
            each,
            turns=tuple(
                replace(turn, said_at=BEGINNING + timedelta(seconds=place))
                for place, turn in enumerate(each.turns)
            ),
        )
        for each in told
    ]


def in_lower_case(told: Sequence[Conversation]) -> list[Conversation]:
    """Typed in a hurry: no capitals, no punctuation, the questions neither."""
    return [
        replace(
            _turned(each, lambda turn: replace(turn, text=_hurried(turn.text))),
            questions=tuple(replace(asked, text=_hurried(asked.text)) for asked in each.questions),
        )
        for each in told
    ]


def in_pairs(told: Sequence[Conversation]) -> list[Conversation]:
    """Two turns that follow each other are one message."""
    return [_merged(each, PAIR) for each in told]


def in_long_messages(told: Sequence[Conversation]) -> list[Conversation]:
    """Eight turns are one message, by nobody known."""
    return [_turned(_merged(each, LONG), lambda turn: replace(turn, speaker="")) for each in told]


def as_assistant_chat(told: Sequence[Conversation]) -> list[Conversation]:
    """The user's turns as they are; eight of the assistant's follow as one long message. The user asks."""
    return [_long_replies(each) for each in in_first_person(told)]


def as_group(told: Sequence[Conversation]) -> list[Conversation]:
    """Conversations two by two in one place, session after session, undated and in a hurry."""
    return in_lower_case(undated([_joined(told[i : i + 2]) for i in range(0, len(told), 2)]))


VARIANTS: Mapping[str, Variant] = {
    "as told": as_told,
    "without speakers": without_speakers,
    "roles": as_roles,
    "first person": in_first_person,
    "one session": in_one_session,
    "no sessions": without_sessions,
    "undated": undated,
    "one moment": at_one_moment,
    "short messages": in_short_messages,
    "lower case": in_lower_case,
    "pairs": in_pairs,
    "long messages": in_long_messages,
    "assistant chat": as_assistant_chat,
    "group": as_group,
}


def _turned(each: Conversation, change: Callable[[Turn], Turn]) -> Conversation:
    return replace(each, turns=tuple(change(turn) for turn in each.turns))


def _with_roles(each: Conversation) -> Conversation:
    user = each.turns[0].speaker
    return _turned(each, lambda turn: replace(turn, speaker="user" if turn.speaker == user else "assistant"))


def _asked_by_user(each: Conversation, asked: Question) -> Question:
    user = each.turns[0].speaker
    text = asked.text
    for speaker in dict.fromkeys(turn.speaker for turn in each.turns):
        subject, possessive = ("I", "my") if speaker == user else ("you", "your")
        name = rf"\b(?:{re.escape(speaker)}|{re.escape(speaker[:3])})"
        text = re.sub(rf"{name}['’]s\b", possessive, text)
        text = re.sub(rf"{name}\b", subject, text)
    return replace(asked, text=text)


def _hurried(text: str) -> str:
    return " ".join(re.sub(r"[^\w\s']", " ", text.lower()).split())


def _split(each: Conversation) -> Conversation:
    parts = {turn.turn_id: SENTENCE_END.split(turn.text) for turn in each.turns}
    return replace(
        each,
        turns=tuple(
            replace(turn, turn_id=f"{turn.turn_id}/{place}", text=text)
            for turn in each.turns
            for place, text in enumerate(parts[turn.turn_id])
        ),
        questions=tuple(
            replace(
                asked,
                evidence=tuple(
                    f"{turn}/{place}" for turn in asked.evidence for place in range(len(parts.get(turn, ())))
                ),
            )
            for asked in each.questions
        ),
    )


def _merged(each: Conversation, size: int) -> Conversation:
    runs = []
    for _, session in groupby(each.turns, key=lambda turn: turn.session):
        turns = list(session)
        runs += [turns[start : start + size] for start in range(0, len(turns), size)]
    return _of_runs(each, runs)


def _long_replies(each: Conversation) -> Conversation:
    runs = []
    for _, session in groupby(each.turns, key=lambda turn: turn.session):
        waiting = list[Turn]()
        for turn in session:
            if turn.speaker == "user":
                runs.append([turn])
            else:
                waiting.append(turn)
                if len(waiting) == LONG:
                    runs.append(waiting)
                    waiting = []
        if waiting:
            runs.append(waiting)
    return _of_runs(each, runs)


def _of_runs(each: Conversation, runs: Sequence[Sequence[Turn]]) -> Conversation:
    """Each run of turns as one message, which is evidence where one of them was."""
    place = {turn.turn_id: MERGED.join(t.turn_id for t in run) for run in runs for turn in run}
    return replace(
        each,
        turns=tuple(
            replace(run[0], turn_id=place[run[0].turn_id], text="\n".join(turn.text for turn in run))
            for run in runs
        ),
        questions=tuple(
            replace(asked, evidence=tuple(dict.fromkeys(place[e] for e in asked.evidence if e in place)))
            for asked in each.questions
        ),
    )


def _joined(told: Sequence[Conversation]) -> Conversation:
    sessions = [
        (number, which, [_apart(each.name, turn) for turn in turns])
        for which, each in enumerate(told)
        for number, (_, turns) in enumerate(groupby(each.turns, key=lambda turn: turn.session))
    ]
    return Conversation(
        name=" and ".join(each.name for each in told),
        turns=tuple(turn for _, _, turns in sorted(sessions, key=lambda s: s[:2]) for turn in turns),
        questions=tuple(
            replace(asked, evidence=tuple(f"{each.name}/{turn}" for turn in asked.evidence))
            for each in told
            for asked in each.questions
        ),
    )


def _apart(name: str, turn: Turn) -> Turn:
    return replace(turn, turn_id=f"{name}/{turn.turn_id}", session=f"{name}/{turn.session}")
