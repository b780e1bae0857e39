"""Questions put to a run's model and to what it was tuned into: each arm's answer, piece by piece
as it is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from augmlx.core.arms import AUGMENTED, BASE
from augmlx.core.errors import BadInput, BadSettings
from augmlx.data.row_forms import Form
from augmlx.engines import local
from augmlx.engines.protocol import Request
from augmlx.english.text import ENDED
from augmlx.evaluation.prompts import as_prompt
from augmlx.models.formats.adapter_folder import read_spec
from augmlx.models.store import folder as store
from augmlx.models.store.folder import StoredModel

if TYPE_CHECKING:
    from augmlx.engines.mlx.engine import MlxEngine

ARMS = (BASE.name, AUGMENTED.name)
CONTINUED, TALKED = (
    48,
    512,
)  # tokens of the longest answer: of a text that is continued, and through a chat template


def load(model: StoredModel, adapter: Path, form: Form, arms: Sequence[str] = ARMS) -> Answerer:
    """What answers for some of ARMS. Two of them have the model's weights in memory once.

    Raises ModelError, and BadSettings where the form is "chat" and the model has no usable chat
    template.
    """
    if len(arms) > 1:
        return Answerer(dict(zip(ARMS, local.mlx_pair(model, adapter), strict=True)), form)
    return Answerer(
        {arm: local.mlx_engine(model, None if arm == BASE.name else adapter) for arm in arms}, form
    )


def load_adapter(
    adapter: Path,
    model: str | None = None,
    arms: Sequence[str] = ARMS,
    form: Form | None = None,
) -> Answerer:
    """What puts questions to an adapter that no run has trained, as an imported one or one of
    mlx_lm.lora, and to its base: in a chat where that has a usable chat template.

    Args:
        model: its base; the one that it names if not.

    Raises ModelError as `load` does, and where there is no such base.
    """
    base = store.find(model or read_spec(adapter).base)
    likely: Form = "chat" if local.chat_fault(base) is None else "text"
    return load(base, adapter, form or likely, arms)


class Answerer:
    """Greedy answers, to questions put as the model was trained on its rows.

    "text": a question as "Question: ... Answer:", anything else as a text to be continued, for one
    line; "completions": through the model's chat template, where it has one; "chat": so too, and
    behind the turns that are remembered, of which each arm has its own.
    """

    def __init__(self, engines: Mapping[str, MlxEngine], form: Form) -> None:
        self._engines, self.form = engines, form
        fault = next(iter(engines.values())).fault_of("chat")
        if form == "chat" and fault:
            raise BadSettings(
                f"questions cannot be put in the chat form: {fault}",
                hint="put them as text: --form text",
            )
        self._through_template = form != "text" and not fault
        self._turns: dict[str, list[tuple[str, str]]] = {arm: [] for arm in engines}

    @property
    def arms(self) -> tuple[str, ...]:
        return tuple(self._engines)

    @property
    def max_tokens(self) -> int:
        """What the longest answer is cut to, unless told else."""
        return TALKED if self._through_template else CONTINUED

    def answer(self, arm: str, question: str, max_tokens: int) -> Iterator[str]:
        """The pieces of an arm's answer, without the white space around it. Those of two arms may
        be drawn in turns.

        Raises BadInput where the question cannot be put: it is empty or, with what is remembered,
        too long.
        """
        return _stripped(self._stream(arm, self._request(arm, question, max_tokens)))

    def remember(self, question: str, answers: Mapping[str, str]) -> None:
        """In the chat form, let later questions follow this one and each arm's own answer."""
        if self.form == "chat":
            for arm, turns in self._turns.items():
                turns.append((question, answers[arm]))

    def forget(self) -> None:
        """Begin the chat anew."""
        for turns in self._turns.values():
            turns.clear()

    def _request(self, arm: str, question: str, max_tokens: int) -> Request:
        if self._through_template:
            turns = tuple(self._turns[arm])
            return Request.greedy(
                "ask", question, max_tokens=max_tokens, stop="", chat=True, turns=turns
            )
        if self.form == "text":
            return Request.greedy("ask", as_prompt(question), max_tokens=max_tokens)
        # As training parts a prompt from its completion where there is no template.
        prompt = f"{question}\n" if ENDED.search(question) else question
        return Request.greedy("ask", prompt, max_tokens=max_tokens)

    def _stream(self, arm: str, request: Request) -> Iterator[str]:
        completion = yield from self._engines[arm].stream(request)
        if completion.finish == "error":
            hint = "ask in other words; one that is too long is made shorter, or --max-tokens lower"
            if self._turns[arm]:
                hint += "; or begin the chat anew: /clear"
            raise BadInput(f"the question cannot be asked: {completion.text}", hint=hint)


def _stripped(pieces: Iterator[str]) -> Iterator[str]:
    """The pieces of a text without the white space around it."""
    held, begun = "", False
    for piece in pieces:
        text = held + piece if begun else piece.lstrip()
        body = text.rstrip()
        held = text[len(body) :]
        if body:
            begun = True
            yield body
