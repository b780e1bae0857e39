"""What a model wrote of a sentence -> its statements, or why they are not taken.

Each must be one of the statements that grammar knows the sentence to make, or be known to say the
same by the filters that a rephrasing must pass; and together they must say all of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from augmlx.augment.alone.sentences import Sentence
from augmlx.augment.filters import Candidate, judge
from augmlx.augment.groups import written_text
from augmlx.core.settings import AugmentSettings
from augmlx.data.statements import sentences
from augmlx.engines.protocol import Completion, Request
from augmlx.english.clauses.reading import read
from augmlx.english.replies import read_reply, without_thinking
from augmlx.english.sameness import spelled_alike

_NOT_THE_SAME = "what the model made of it says less or more"


@dataclass(frozen=True, slots=True)
class Answer:
    """The statements that are taken, or why none is."""

    statements: tuple[str, ...] = ()
    why: str = ""
    is_failed: bool = False  # whether the model could not be asked


def check(
    sentence: Sentence,
    request: Request,
    completion: Completion,
    settings: AugmentSettings,
    filters: Sequence[str],
    labels: Sequence[str],
) -> Answer:
    """The statements that were written of a sentence, in the order in which it makes them.

    Args:
        request: what was asked of it.
        completion: what was written then.
        filters: what another wording of a statement must pass.
        labels: of the prompt, which are no part of an answer.
    """
    if completion.finish == "error":
        return Answer(why=f"the model could not be asked: {completion.text}", is_failed=True)
    if completion.finish == "length":
        return Answer(why="what the model made of it was cut off")
    written = list(_written(sentence, written_text(request, completion), labels))
    for wanted in (sentence.parts, (sentence.whole or "",)):
        if len(wanted) == len(written) and (ordered := _paired(wanted, written, filters, settings)):
            return Answer(ordered)
    return Answer(why=_NOT_THE_SAME)


def _written(sentence: Sentence, reply: str, labels: Sequence[str]) -> Sequence[str]:
    """The sentences of a reply, without labels, numbering and markup, and without those before it
    where they are said again.
    """
    source = sentence.whole or sentence.text
    again = {spelled_alike(text) for text in sentence.before} - {spelled_alike(source)}
    lines = [line for line in without_thinking(reply).splitlines() if line.strip()]
    texts = [read_reply(line, source, labels=labels).text for line in lines]
    said = [mention.text for text in texts if text for mention in sentences(text)]
    return [text for text in said if spelled_alike(text) not in again]


def _paired(
    wanted: Sequence[str],
    written: Sequence[str],
    filters: Sequence[str],
    settings: AugmentSettings,
) -> tuple[str, ...]:
    """Each of the wanted statements as it was written; nothing where one is missing."""
    left = list(written)
    taken = []
    for statement in wanted:
        same = next((text for text in left if _is_same(statement, text, filters, settings)), None)
        if same is None:
            return ()
        left.remove(same)
        taken.append(same)
    return tuple(taken)


def _is_passive(text: str) -> bool:
    clause = read(text)
    return clause is not None and clause.passive


def _is_same(statement: str, text: str, filters: Sequence[str], settings: AugmentSettings) -> bool:
    """Whether a text says what a statement says."""
    if spelled_alike(text) == spelled_alike(statement):
        return True
    if _is_passive(text) != _is_passive(statement):
        return False  # "who trained in Lyon" is not "was trained in Lyon"
    candidate = Candidate(sample=0, text=text, source=statement, finish="stop")
    (verdict,) = judge([candidate], filters, settings, limit=False)
    return verdict.kept
