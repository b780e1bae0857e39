"""What an operator's TOML file may hold."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from augmlx.augment.operators.deterministic import FUNCTIONS
from augmlx.english.logic import RULES

_PREFIX = """{{ instruction }}

{% for case in exemplars %}{% for fact in case.known %}{{ known_label }}: {{ fact }}
{% endfor %}{% for fact in case.premises %}{{ input_label }}: {{ fact }}
{% endfor %}{% if case.answer %}{{ answer_label }}: {{ case.answer }}
{% endif %}{{ output_label }}: {{ case.result }}

{% endfor %}{% for fact in known %}{{ known_label }}: {{ fact }}
{% endfor %}"""
_SUFFIX = """{% for fact in facts %}{{ input_label }}: {{ fact }}
{% endfor %}{% if answer %}{{ answer_label }}: {{ answer }}
{% endif %}{{ output_label }}:"""
_PREMISES = {"one": 1, "pair": 2, "corpus": 1}  # arity -> how many facts an operator starts from
_RULES = {**RULES, "bridge": 2}  # rule -> how many facts it draws from


class Exemplar(BaseModel):
    """A worked example: one fact, or for a pair two `facts`; `known` are the others that a corpus
    operator shows.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    fact: str = ""
    facts: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    answer: str = ""
    result: str = Field(min_length=1)

    @property
    def premises(self) -> tuple[str, ...]:
        return self.facts or (self.fact,)

    @model_validator(mode="after")
    def _has_facts(self) -> Exemplar:
        has_both_or_none = bool(self.fact) == bool(self.facts)
        if has_both_or_none or not all(self.premises):
            raise ValueError("give one fact, or the list facts")
        return self


class Operator(BaseModel):
    """One operator, as its TOML file says.

    Args:
        name: that of its file.
        about: what it makes, for listings.
        arity: how many facts it starts from: one, a pair that shares an entity, or one seen among
            all others ("corpus").
        rule: the deduction it performs: only facts from which something follows by that rule are
            put to the model.
        function: a Python function that takes the model's place.
        instruction: what the model is told to do; the labels stand before the texts of a prompt.
        system: the same, worded for a chat whose turns are the exemplars; made of the instruction
            where it is empty.
        prefill: what the completion must begin with.
        answer: which argument of the fact a question must ask for; "by-model" leaves it to the
            model, which then writes it behind its question.
        samples: an upper limit on what the settings say, as is max_tokens.
        filters: what its output must pass, in this order.
        exemplars: worked examples.
        prefix: template of what the prompts share, as `suffix` is of the rest.
        output: template of the training text, made of `result` (what the model wrote) and `answer`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str = Field(pattern=r"^[a-z][a-z0-9_-]*$")
    about: str = ""
    arity: Literal["one", "pair", "corpus"]
    rule: str = ""
    function: str = ""
    instruction: str = ""
    system: str = ""
    known_label: str = "Known"
    input_label: str = "Fact"
    answer_label: str = "Answer"
    output_label: str = "Result"
    prefill: Literal["none", "first", "last", "turned", "fronted", "conclusion"] = "none"
    answer: Literal["none", "first", "last", "by-model"] = "none"
    samples: int | None = Field(None, ge=1)
    max_tokens: int | None = Field(None, ge=1)
    filters: tuple[str, ...]
    exemplars: tuple[Exemplar, ...] = ()
    prefix: str = _PREFIX
    suffix: str = _SUFFIX
    output: str = "{{ result }}"

    @property
    def takes(self) -> int:
        """How many facts it starts from, besides those that are only shown."""
        return _PREMISES[self.arity]

    @property
    def asks(self) -> bool:
        """Whether it makes questions."""
        return self.answer != "none"

    @property
    def gives_answer(self) -> bool:
        """Whether a prompt names the answer that is to be asked for."""
        return self.answer in ("first", "last")

    @property
    def takes_turns(self) -> bool:
        """Whether its exemplars can be turns of a chat: with templates of the user's own nobody
        could tell where one ends.
        """
        return (self.prefix, self.suffix) == (_PREFIX, _SUFFIX)

    @model_validator(mode="after")
    def _is_whole(self) -> Operator:
        self._check_rule()
        if self.function:
            self._check_function()
            return self
        if self.prefill == "conclusion" and not self.rule and self.arity != "pair":
            raise ValueError("prefill: conclusion goes with a rule, or with arity pair")
        if not self.instruction:
            raise ValueError("instruction: must say what to do")
        if not self.exemplars:
            raise ValueError("exemplars: at least one is needed")
        for number, exemplar in enumerate(self.exemplars):
            if fault := self._fault_of(exemplar):
                raise ValueError(f"exemplars.{number}: {fault}")
        return self

    def _check_rule(self) -> None:
        if not self.rule:
            return
        if self.rule not in _RULES:
            known = ", ".join(sorted(_RULES))
            raise ValueError(f"rule: unknown {self.rule}; known: {known}")
        wanted = _RULES[self.rule]
        if self.arity == "corpus" or self.takes != wanted:
            arity = "one" if wanted == 1 else "pair"
            raise ValueError(f"rule: {self.rule} goes with arity {arity}")

    def _check_function(self) -> None:
        if self.function not in FUNCTIONS:
            known = ", ".join(FUNCTIONS)
            raise ValueError(f"function: unknown {self.function}; known: {known}")
        is_bare = not self.exemplars and not self.rule and not self.asks
        if self.arity != "one" or not is_bare:
            fits = "goes with arity one, and without exemplars, rule and answer"
            raise ValueError(f"function: {fits}")

    def _fault_of(self, exemplar: Exemplar) -> str | None:
        if len(exemplar.premises) != self.takes:
            return f"arity {self.arity} takes {self.takes} facts"
        if bool(exemplar.known) != (self.arity == "corpus"):
            return "known goes with arity corpus, and only with it"
        if bool(exemplar.answer) != self.asks:
            return "answer goes with an operator that has one, and only with it"
        return None
