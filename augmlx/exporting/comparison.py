"""What one reader of a model says of texts, written down, and whether another says the same: the
tokens, the logits at every position, the greedy answers.

Only one of the two is in memory at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from augmlx.core.errors import ModelError

BOUND = 1e-3  # both sides compute in float32; sums in another order differ by about 1e-4

_TOKENIZER = "it must be the tokenizer of the model that the adapter was trained on"

LogitsArray = npt.NDArray[np.float32]  # (T, V)


@dataclass(frozen=True, slots=True)
class Reader:
    """A program with a model.

    Args:
        name: in words.
        encode: a text and whether special tokens are put around it -> its T tokens.
        logits: T tokens -> (T, V).
    """

    name: str
    encode: Callable[[str, bool], list[int]]
    logits: Callable[[Sequence[int]], LogitsArray]


@dataclass(frozen=True, slots=True)
class Material:
    """What both sides are given: texts, and questions that they answer."""

    texts: Sequence[str]
    questions: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """A text, its T tokens with the special ones around it, and the logits (T, V) of each."""

    text: str
    tokens: Sequence[int]
    logits: LogitsArray


@dataclass(frozen=True, slots=True)
class Reply:
    """A question as a model is asked it, its tokens, and those of the greedy answer with the one
    that ends it.
    """

    prompt: str
    tokens: Sequence[int]
    answer: Sequence[int]


@dataclass(frozen=True, slots=True)
class Record:
    """What a reader said."""

    readings: tuple[Reading, ...]
    replies: tuple[Reply, ...] = ()


@dataclass(frozen=True, slots=True)
class Distance:
    """How far logits are apart. `argmax_agreement` is the share (0..1) of positions with the same
    next token.
    """

    greatest: float
    mean: float
    argmax_agreement: float
    positions: int

    @property
    def agreement(self) -> str:
        """The share in percent."""
        return f"{100 * self.argmax_agreement:.2f}".rstrip("0").rstrip(".") + " %"


@dataclass(frozen=True, slots=True)
class Verification:
    """How far the reader of an export and MLX are apart."""

    max_difference: float  # of logits, anywhere
    argmax_agreement: float
    positions: int
    prompts: int
    bound: float
    mean_difference: float
    reader: str
    same_answers: int
    answers: int  # greedy ones that were compared
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        distance = Distance(
            self.max_difference, self.mean_difference, self.argmax_agreement, self.positions
        )
        answers = f"; {self.same_answers} of {self.answers} greedy answers the same"
        notes = "".join(f"; {note}" for note in self.notes)
        return (
            f"{self.reader}: greatest logit difference {self.max_difference:.1e} "
            f"(bound {self.bound:.0e}), mean {self.mean_difference:.1e}, "
            f"argmax agreement {distance.agreement} over {self.positions} positions of "
            f"{self.prompts} prompts{answers if self.answers else ''}{notes}"
        )


def compare(place: Path, record: Record, reader: Reader, *, bound: float = BOUND) -> Verification:
    """Hold what `reader` makes of the export at `place` against what MLX said.

    Raises ModelError where a logit is further away than `bound`, or texts are cut into other
    tokens.
    """
    _require_tokens(place, record, reader)
    theirs = (_logits(place, reading, reader) for reading in record.readings)
    distance = distance_of(record, theirs)
    verification = Verification(
        distance.greatest,
        distance.argmax_agreement,
        distance.positions,
        len(record.readings),
        bound,
        distance.mean,
        reader.name,
        same_answers=sum(gives(reader, reply) for reply in record.replies),
        answers=len(record.replies),
    )
    if not distance.greatest <= bound:  # a NaN is none of the two
        raise ModelError(
            f"{place}: {reader.name} and MLX disagree: {verification}",
            hint="is it the base that the adapter was trained on? If so, please report this",
        )
    return verification


def distance_of(record: Record, theirs: Iterable[LogitsArray]) -> Distance:
    """How far the logits of a record are from others of the same texts.

    Raises ModelError where there is none to compare.
    """
    greatest, means, agreeing, positions = 0.0, 0.0, 0, 0
    for reading, logits in zip(record.readings, theirs, strict=True):
        differences = np.abs(reading.logits - logits)
        greatest = float(np.maximum(greatest, differences.max()))  # keeps a NaN, unlike max()
        means += float(differences.mean()) * len(logits)
        agreeing += int((reading.logits.argmax(-1) == logits.argmax(-1)).sum())
        positions += len(logits)
    if not positions:
        raise ModelError(
            "nothing to verify on: no prompt has a token", hint="check the run's facts.jsonl"
        )
    return Distance(greatest, means / positions, agreeing / positions, positions)


def gives(reader: Reader, reply: Reply) -> bool:
    """Whether a reader's greedy answer is the same: so it is where each token is the likeliest
    behind the prompt and the tokens before it, which one look at the whole tells.
    """
    logits = reader.logits([*reply.tokens, *reply.answer])
    likeliest = logits.argmax(-1)[len(reply.tokens) - 1 : -1]
    return bool(np.array_equal(likeliest, reply.answer))


def _require_tokens(place: Path, record: Record, reader: Reader) -> None:
    for special, texts in (
        (True, ((reading.text, reading.tokens) for reading in record.readings)),
        (False, ((reply.prompt, reply.tokens) for reply in record.replies)),
    ):
        for text, tokens in texts:
            if reader.encode(text, special) != list(tokens):
                raise ModelError(
                    f"{place}: its tokenizer cuts texts otherwise than the model's",
                    hint=_TOKENIZER,
                )


def _logits(place: Path, reading: Reading, reader: Reader) -> LogitsArray:
    logits = reader.logits(reading.tokens)
    if logits.shape != reading.logits.shape:
        raise ModelError(
            f"{place}: MLX gives logits of shape {reading.logits.shape}, "
            f"{reader.name} {logits.shape} for one prompt",
            hint="the base folder must hold the model that the adapter was trained on",
        )
    return logits


def difference_of(what: str, record: Record, other: Record) -> tuple[Distance, int]:
    """How far what a reader said of the same texts twice is apart, and how many greedy answers are
    the same. Raises ModelError, that says `what` it is about, where texts were cut into other
    tokens.
    """
    cuts = [[reading.tokens for reading in one.readings] for one in (record, other)]
    if cuts[0] != cuts[1]:
        raise ModelError(f"{what}: texts are cut into other tokens", hint=_TOKENIZER)
    distance = distance_of(record, (reading.logits for reading in other.readings))
    pairs = zip(record.replies, other.replies, strict=True)
    return distance, sum(ours.answer == theirs.answer for ours, theirs in pairs)


def difference(what: str, record: Record, other: Record) -> str:
    """The same in words. Raises ModelError likewise."""
    distance, same = difference_of(what, record, other)
    answers = f", {same} of {len(record.replies)} greedy answers the same"
    return (
        f"{what}: greatest logit difference {distance.greatest:.1e}, "
        f"argmax agreement {distance.agreement}{answers if record.replies else ''}"
    )
