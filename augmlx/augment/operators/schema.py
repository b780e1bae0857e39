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
PREMISES = {"one": 1, "pair": 2, "corpus": 1}


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
        if bool(self.fact) == bool(self.facts) or not all(self.premises):
            raise ValueError("give one fact, or the list facts")
        return self


class Operator(BaseModel):
    """One operator, as its TOML file says.

    `arity` is how many facts it starts from: one, a pair that shares an entity, or one seen among
    all others ("corpus"). `rule` names the deduction it performs: only facts from which something
    follows by that rule are put to the model. `function` names a Python function that takes the
    model's place. `samples` and `max_tokens` are upper limits on what the settings say. `output` is
    the training text, made of `result` (what the model wrote) and `answer`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str = Field(pattern=r"^[a-z][a-z0-9_-]*$")
    about: str = ""
    arity: Literal["one", "pair", "corpus"]
    rule: str = ""
    function: str = ""
    instruction: str = ""
    known_label: str = "Known"
    input_label: str = "Fact"
    answer_label: str = "Answer"
    output_label: str = "Result"
    prefill: Literal["none", "first", "last", "turned", "conclusion"] = "none"
    answer: Literal["none", "first", "last"] = "none"
    samples: int | None = Field(None, ge=1)
    max_tokens: int | None = Field(None, ge=1)
    filters: tuple[str, ...]
    exemplars: tuple[Exemplar, ...] = ()
    prefix: str = _PREFIX
    suffix: str = _SUFFIX
    output: str = "{{ result }}"

    @model_validator(mode="after")
    def _is_whole(self) -> Operator:
        takes = {**RULES, "bridge": 2}
        if self.rule and self.rule not in takes:
            raise ValueError(f"rule: unknown {self.rule}; known: {', '.join(sorted(takes))}")
        if self.rule and (self.arity == "corpus" or takes[self.rule] != PREMISES[self.arity]):
            raise ValueError(
                f"rule: {self.rule} goes with arity {'one' if takes[self.rule] == 1 else 'pair'}"
            )
        if self.function:
            if self.function not in FUNCTIONS:
                raise ValueError(
                    f"function: unknown {self.function}; known: {', '.join(FUNCTIONS)}"
                )
            if self.arity != "one" or self.exemplars or self.rule or self.answer != "none":
                raise ValueError(
                    "function: goes with arity one, and without exemplars, rule and answer"
                )
            return self
        if self.prefill == "conclusion" and not self.rule and self.arity != "pair":
            raise ValueError("prefill: conclusion goes with a rule, or with arity pair")
        if not self.instruction:
            raise ValueError("instruction: must say what to do")
        if not self.exemplars:
            raise ValueError("exemplars: at least one is needed")
        for number, exemplar in enumerate(self.exemplars):
            if len(exemplar.premises) != PREMISES[self.arity]:
                raise ValueError(
                    f"exemplars.{number}: arity {self.arity} takes {PREMISES[self.arity]} facts"
                )
            if bool(exemplar.known) != (self.arity == "corpus"):
                raise ValueError(
                    f"exemplars.{number}: known goes with arity corpus, and only with it"
                )
            if bool(exemplar.answer) != (self.answer != "none"):
                raise ValueError(
                    f"exemplars.{number}: answer goes with an operator that has one, and only "
                    f"with it"
                )
        return self
