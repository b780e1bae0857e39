"""Whom or what a pronoun stands for where grammar has only a guess: the model is asked how likely
the rest of the sentence is behind each name that fits. "It shows a harbour." behind "The museum
bought the painting." is likelier of the painting.
"""

from __future__ import annotations

from collections.abc import Sequence

from augmlx.augment.alone.sentences import Sentence
from augmlx.augment.journal import Journal
from augmlx.core.progress import Progress
from augmlx.core.records import fingerprint
from augmlx.engines.protocol import Engine

_MARGIN = 1.0  # nats by which the guess must be likelier than each other name
_MEASURE = "meant"
_TOGETHER = 8  # sentences that are scored together


def are_meant(
    asked: Sequence[Sentence], engine: Engine, journal: Journal, progress: Progress
) -> list[bool]:
    """Whether the model means the same as grammar by the pronoun of each sentence; False where
    there is nothing to choose, or it cannot be asked.

    The batches are cut from all the sentences, and each is journalled whole.
    """
    meant = [False] * len(asked)
    doubtful = [number for number, sentence in enumerate(asked) if len(sentence.readings) > 1]
    if not engine.can_score or not doubtful:
        return meant
    with progress.task("Weighing", len(doubtful)) as task:
        for start in range(0, len(doubtful), _TOGETHER):
            numbers = doubtful[start : start + _TOGETHER]
            values = _scores([asked[number] for number in numbers], engine, journal)
            for number, (guess, *others) in zip(numbers, values, strict=True):
                meant[number] = guess >= max(others) + _MARGIN
                task.advance()
    return meant


def _scores(batch: Sequence[Sentence], engine: Engine, journal: Journal) -> list[list[float]]:
    """The log-probability (nats) of the rest of each sentence, by its readings."""
    keys = [_key(sentence, engine) for sentence in batch]
    every = [f"{key}/{n}" for key, each in zip(keys, batch, strict=True) for n in _numbers(each)]
    known = journal.scores(every)
    if any((key, _MEASURE) not in known for key in every):
        rows = [(sentence, reading) for sentence in batch for reading in sentence.readings]
        prompts = [" ".join((*sentence.before, begun)) for sentence, (begun, _) in rows]
        scores = engine.score(prompts, [rest for _, (_, rest) in rows])
        written = [(key, _MEASURE, score.logprob) for key, score in zip(every, scores, strict=True)]
        journal.add_scores(written)
        known = {(key, measure): value for key, measure, value in written}
    return [
        [known[f"{key}/{n}", _MEASURE] for n in _numbers(sentence)]
        for key, sentence in zip(keys, batch, strict=True)
    ]


def _numbers(sentence: Sentence) -> range:
    return range(len(sentence.readings))


def _key(sentence: Sentence, engine: Engine) -> str:
    readings = [list(reading) for reading in sentence.readings]
    return fingerprint([sentence.fact.source, sentence.before, readings, engine.fingerprint])
