"""Operators -> a chat: a system line, the worked examples as turns, and the message about a fact.

What a message holds is what a prompt to be continued has of the same fact, less the label that the
answer would follow.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from augmlx.augment.operators.rendering import as_shown
from augmlx.augment.operators.schema import Exemplar, Operator
from augmlx.engines.protocol import Turns

_ONE_SENTENCE = "Reply with that one sentence and nothing else."
_ONE_QUESTION = "Reply with the question and nothing else."


def system(operator: Operator) -> str:
    """What the chat begins with: the operator's own line, or one made of its instruction."""
    if operator.system:
        return operator.system
    reply = _ONE_QUESTION if operator.asks else _ONE_SENTENCE
    return f"{operator.instruction} {reply}"


def turns(operator: Operator, exemplars: Sequence[Exemplar]) -> Turns:
    """The worked examples, each as a message and its answer."""
    shown = []
    for exemplar in (as_shown(operator, exemplar) for exemplar in exemplars):
        known = message_prefix(operator, exemplar.known)
        asked = message(operator, exemplar.premises, exemplar.answer)
        shown.append((f"{known}{asked}", exemplar.result))
    return tuple(shown)


def message_prefix(operator: Operator, known: Sequence[str]) -> str:
    """The lines of a message that many share: the other facts, for a corpus operator."""
    return "".join(f"{operator.known_label}: {text}\n" for text in known)


def message(operator: Operator, facts: Sequence[str], answer: str = "") -> str:
    """The lines of a message that are of these facts alone."""
    return "\n".join(_lines(operator, facts, answer))


def _lines(operator: Operator, facts: Sequence[str], answer: str) -> Iterator[str]:
    for fact in facts:
        yield f"{operator.input_label}: {fact}"
    if answer:
        yield f"{operator.answer_label}: {answer}"
