"""Filters that ask the model: how likely is the text, given what it was made from?

A measure says which (prompt, continuation) pairs are to be scored, and makes one number of the
scores. The number is journalled, so that a changed threshold only judges anew. It is never compared
across models: the default thresholds were chosen on labelled texts of the embedded model
(scripts/study_measures.py, docs/LOG.md) and are lenient.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from augmlx.augment.filters.candidate import Candidate
from augmlx.core.settings import AugmentSettings
from augmlx.engines.protocol import Score
from augmlx.english.names import with_determiner
from augmlx.english.prompts import question_in_text
from augmlx.english.sentence import arguments

# (prompt, continuation) each; none where the measure says nothing of a candidate.
Rows = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Measure:
    """What a model scores of a candidate, and what comes of it.

    Attributes:
        rows: what is to be scored.
        value: one number from the scores of the rows, in nats.
        objection: why the candidate must go where that is below the threshold, else None.
    """

    rows: Callable[[Candidate], Rows]
    value: Callable[[Sequence[Score]], float]
    objection: Callable[[float, AugmentSettings], str | None]


def _context(candidate: Candidate) -> str:
    return "".join(f"Fact: {text}\n" for text in candidate.ground)


def _per_token(score: Score) -> float:
    return score.logprob / score.tokens


# Plausibility: how much more likely the text is with its facts in the prompt than without, in nats
# a token.


def _plausibility_rows(candidate: Candidate) -> Rows:
    text = f" {candidate.text}"
    return ((f"{_context(candidate)}It follows:", text), ("It follows:", text))


def _plausibility(scores: Sequence[Score]) -> float:
    given, alone = scores
    return _per_token(given) - _per_token(alone)


def _implausible(value: float, settings: AugmentSettings) -> str | None:
    if value >= settings.plausibility:
        return None
    bound = settings.plausibility
    return f"its facts make it {value:.2f} nats a token likelier, less than {bound:g}"


# Round trip: with only the facts in the prompt, does the text's own question lead back to its own
# answer?


def _round_trip_rows(candidate: Candidate) -> Rows:
    """The answer first, then its rivals: the other things that the facts speak of."""
    asked, answer = _question_of(candidate)
    if not asked or not answer.strip():
        return ()
    rivals = _rivals(candidate, answer)
    if not rivals:
        return ()
    prompt = _context(candidate) + asked
    return tuple((prompt, f" {text}") for text in (answer, *rivals))


def _question_of(candidate: Candidate) -> tuple[str, str]:
    """What a candidate asks, and its answer. A statement asks for what it ends with; where that
    cannot be told it asks nothing.
    """
    if candidate.answer:
        return question_in_text(candidate.text), candidate.answer
    both = arguments(candidate.text)
    if both is None:
        return "", ""
    _, last = both
    answer = with_determiner(candidate.text, last)
    asked = candidate.text[: last.end].removesuffix(answer).rstrip()
    return asked, answer


def _rivals(candidate: Candidate, answer: str) -> list[str]:
    """The arguments of the facts that the answer does not hold, each once."""
    rivals: dict[str, None] = {}
    for fact in candidate.ground:
        for mention in arguments(fact) or ():
            rivals[with_determiner(fact, mention)] = None
    return [rival for rival in rivals if rival.casefold() not in answer.casefold()]


def _round_trip(scores: Sequence[Score]) -> float:
    answer, *rivals = scores
    return _per_token(answer) - max(map(_per_token, rivals))


def _no_way_back(value: float, settings: AugmentSettings) -> str | None:
    if value >= settings.round_trip:
        return None
    if value < 0:
        return f"another answer to its own question is {-value:.2f} nats a token likelier"
    return (
        f"its answer to its own question is {value:.2f} nats a token likelier than another, less "
        f"than {settings.round_trip:g}"
    )


# The judge: asked whether the text follows from its facts, how much likelier is "Yes" than "No", in
# nats?

_SHOWN = """Fact: Ruth Adler is the chair of Maple House.
Statement: The chair of Maple House is Ruth Adler.
Does the statement follow? Yes

Fact: Lake Orrin is larger than Lake Pell.
Statement: Lake Pell is larger than Lake Orrin.
Does the statement follow? No

"""


def _judge_rows(candidate: Candidate) -> Rows:
    text = f"{candidate.text} {candidate.answer}" if candidate.answer else candidate.text
    statement = f"Statement: {text}\nDoes the statement follow?"
    prompt = f"{_SHOWN}{_context(candidate)}{statement}"
    return ((prompt, " Yes"), (prompt, " No"))


def _judge(scores: Sequence[Score]) -> float:
    yes, no = scores
    return yes.logprob - no.logprob


def _denied(value: float, settings: AugmentSettings) -> str | None:
    if value >= settings.judge:
        return None
    if value < 0:
        return f"the model says No, by {-value:.2f} nats"
    return f"the model says Yes by {value:.2f} nats, less than {settings.judge:g}"


MEASURES: Mapping[str, Measure] = {
    "judge": Measure(_judge_rows, _judge, _denied),
    "plausibility": Measure(_plausibility_rows, _plausibility, _implausible),
    "round_trip": Measure(_round_trip_rows, _round_trip, _no_way_back),
}
