"""What generates and scores: the Engine protocol and the two values that cross it. No mlx here."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Literal, Protocol

from augmlx.core.records import fingerprint

# How a model is asked: by a text to be continued; by one message through its chat template; or by
# a chat in which worked examples are earlier turns.
Prompting = Literal["raw", "chat", "turns"]
WAYS: tuple[Prompting, ...] = ("turns", "chat", "raw")  # a model that can be asked so best first
Turns = tuple[tuple[str, str], ...]  # each a message of the user's and its answer


@dataclass(frozen=True, slots=True)
class Request:
    """One completion to be written: a prompt, and how its continuation is drawn.

    Attributes:
        key: names the request in the journal: sha256 of everything that its completion depends on.
        prefix: the part of the prompt that many requests share word for word (instruction and
            exemplars); the whole prompt is prefix + suffix.
        suffix: the part that is this request's own.
        seed: a text, such as "0:fact-3:reversal:2". Sampling draws from it alone, so a row is the
            same in any batch.
        temperature: 0 is greedy.
        top_p: the mass of the nucleus that is sampled from; 1 is the whole distribution.
        max_tokens: the most that is written.
        stop: the text that ends the completion, and is no part of it; "" for none.
        opening: the words that the answer begins with; what the engine writes goes on behind them.
        chat: whether prefix + suffix is a user's message, put into the model's chat template.
            `opening` then stands behind the template's start of an answer.
        system: what a chat begins with.
        turns: what was said in the chat before the message.
    """

    key: str
    _: KW_ONLY
    prefix: str
    suffix: str
    seed: str
    temperature: float
    top_p: float
    max_tokens: int
    stop: str = "\n"
    opening: str = ""
    chat: bool = False
    system: str = ""
    turns: Turns = ()

    @classmethod
    def greedy(
        cls,
        key: str,
        suffix: str,
        *,
        max_tokens: int,
        prefix: str = "",
        stop: str = "\n",
        chat: bool = False,
        turns: Turns = (),
    ) -> Request:
        """A request whose every token is the most probable one, so that no seed tells in it."""
        return cls(
            key,
            prefix=prefix,
            suffix=suffix,
            seed="",
            temperature=0.0,
            top_p=1.0,
            max_tokens=max_tokens,
            stop=stop,
            chat=chat,
            turns=turns,
        )

    @classmethod
    def ruled(cls, key: str, text: str) -> Request:
        """What the journal keeps where a rule, and no engine, wrote something about `text`."""
        return cls.greedy(key, text, max_tokens=0)

    @property
    def content(self) -> str:
        """What is asked, without the opening of the answer: with `chat` the user's last message."""
        return self.prefix + self.suffix

    @property
    def prompt(self) -> str:
        """The whole prompt as text to be continued; under `chat` the last message alone, without
        what the model's template adds.
        """
        return f"{self.content} {self.opening}" if self.opening else self.content

    @property
    def prompt_sha256(self) -> str:
        """Names the prompt, with all that stands before its last message."""
        if self.system or self.turns:
            return fingerprint([self.system, self.turns, self.prompt])
        return hashlib.sha256(self.prompt.encode("utf-8")).hexdigest()


@dataclass(frozen=True, slots=True)
class Completion:
    """What the engine wrote. `finish`: "stop", "length" (cut off), or "error" with the reason in
    `text`.
    """

    key: str
    text: str
    finish: str
    tokens: int


@dataclass(frozen=True, slots=True)
class Score:
    """Log-probability (nats) of a continuation given its prompt, summed over its `tokens`
    tokens.
    """

    logprob: float
    tokens: int


@dataclass(slots=True)
class TokenCount:
    """Tokens an engine has put through its model, or did not have to.

    `prefilled` and `reused` add up to the tokens of all prompts (and of all scored continuations
    but their last token). A server tells only what was generated.
    """

    prefilled: int = 0
    reused: int = 0
    generated: int = 0


class Engine(Protocol):
    """A local model, or something that stands in for one."""

    @property
    def name(self) -> str:
        """Which engine: "mlx", "http" or "scripted"."""

    @property
    def model(self) -> str:
        """Which model, without a path of this machine."""

    @property
    def fingerprint(self) -> str:
        """sha256 over what a completion depends on besides the request: weights, tokenizer,
        adapter.
        """

    @property
    def window(self) -> int:
        """How many tokens the model can attend to."""

    @property
    def tokens(self) -> TokenCount:
        """What was put through the model since the engine was made."""

    @property
    def can_score(self) -> bool:
        """Whether `score` gives an answer; a server's protocol has none."""

    @property
    def prompting(self) -> Prompting:
        """How the model is best asked, as far as is known without trying."""

    def fault_of(self, prompting: Prompting) -> str | None:
        """Why the model cannot be asked so, or None."""

    def count(self, text: str) -> int:
        """How many tokens a text is."""

    def generate(self, requests: Sequence[Request]) -> Iterator[Completion]:
        """One completion per request, in the order of the requests; all of them run as one
        batch.
        """

    def score(
        self, prompts: Sequence[str], continuations: Sequence[str], *, prefix: str = ""
    ) -> list[Score]:
        """The score of each continuation after its prompt; what the prompts share is prefilled
        once. `prefix` is what those of further calls begin with, too, as a Request's does: it is
        prefilled once for all of them.
        """
