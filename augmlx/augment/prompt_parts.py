"""An operator and its facts -> the parts of a request, in the way in which the model is asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from augmlx.augment import operators
from augmlx.augment.operators import Exemplar, Operator
from augmlx.engines.protocol import Prompting, Turns

_ROLE = 16  # tokens, at most, that a chat template puts around one message


class Beginning(NamedTuple):
    """What many requests begin with; the fields are those of a Request."""

    prefix: str
    chat: bool
    system: str = ""
    turns: Turns = ()

    @property
    def texts(self) -> str:
        """All that it holds, without what a chat template adds."""
        said = [text for turn in self.turns for text in turn]
        return "\n".join([self.system, *said, self.prefix])

    @property
    def marks(self) -> int:
        """How many tokens a chat template may add to it."""
        return _ROLE * (1 + 2 * len(self.turns)) if self.chat else 0


def way_of(operator: Operator, prompting: Prompting) -> Prompting:
    """How an operator is put to a model that is asked so: in one message where its file has
    templates of its own.
    """
    if prompting == "turns" and not operator.takes_turns:
        return "chat"
    return prompting


def beginning(
    operator: Operator,
    exemplars: Sequence[Exemplar],
    known: Sequence[str],
    prompting: Prompting,
) -> Beginning:
    """Instruction, worked examples and, for a corpus operator, the other facts.

    Raises BadInput where a template of the user's cannot be rendered; so does `ending`.
    """
    way = way_of(operator, prompting)
    if way != "turns":
        return Beginning(operators.prefix(operator, exemplars, known), chat=way == "chat")
    return Beginning(
        operators.message_prefix(operator, known),
        chat=True,
        system=operators.system(operator),
        turns=operators.turns(operator, exemplars),
    )


def ending(operator: Operator, facts: Sequence[str], answer: str, prompting: Prompting) -> str:
    """What a request asks about these facts alone."""
    if way_of(operator, prompting) == "turns":
        return operators.message(operator, facts, answer)
    return operators.suffix(operator, facts, answer)


def stop_of(operator: Operator, opening: str, prompting: Prompting) -> str:
    """The text that ends an answer: the end of its line, but where a model that talks may begin
    with another one. What is meant is then found in all that it says. A question and its answer
    are two lines.
    """
    may_talk = way_of(operator, prompting) == "turns" and not opening
    if may_talk:
        return ""
    return "\n\n" if operator.answer == "by-model" else "\n"
