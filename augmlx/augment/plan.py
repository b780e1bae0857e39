"""Facts x operators -> requests, in one fixed order, before the first of them runs.

That order is what lets a killed run go on to the same bytes: batches are cut from it, and a batch's
rows share their last bits.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from augmlx.augment import operators
from augmlx.augment.operators import Exemplar, Operator
from augmlx.augment.operators.exemplars import Exemplars, chosen
from augmlx.augment.premises import Found, Premiser, Premises
from augmlx.core.example_id import ExampleId
from augmlx.core.records import Fact, fingerprint
from augmlx.core.settings import AugmentSettings
from augmlx.engines.protocol import Engine, Request
from augmlx.english import logic

# Facts that all operators go through before the next ones are taken up. Within a block a prompt's
# prefix is shared, and what was found out about a fact is still known.
_BLOCK = 128
_MARGIN = 16  # tokens for what joins the parts of a prompt


@dataclass(frozen=True, slots=True)
class Planned:
    """One request with what it is for. `written` is the result of an operator that needs no
    model.
    """

    request: Request
    operator: Operator
    premises: Premises
    sample: int
    answer: str = ""
    written: str | None = None

    @property
    def id(self) -> str:
        """Such as "f0001/reversal/0", or "f0001+f0007/chain/0" for a pair."""
        return str(ExampleId(self.premises.id, self.operator.name, self.sample))


class Plan:
    """Every request of a run; iterating renders them, one after the other, as often as needed.

    With `about` only what starts from the facts of these ids is asked for. `found` says per
    operator how many facts it has nothing to say of, and how many have more partners than were
    taken.
    """

    def __init__(
        self,
        facts: Sequence[Fact],
        chosen_operators: Sequence[Operator],
        settings: AugmentSettings,
        *,
        seed: int,
        engine: Engine,
        own: Exemplars | None = None,
        about: Collection[str] | None = None,
    ) -> None:
        self._settings, self._seed, self._own = settings, seed, own or {}
        self._engine = engine.fingerprint
        self._chat = (
            engine.prompting if settings.prompting == "auto" else settings.prompting
        ) == "chat"
        premiser = Premiser(facts, partners=settings.partners, count=engine.count)
        self.found = {
            operator: _answerable(
                operator, premiser.find(operator, self._budget(operator, facts, engine))
            )
            for operator in chosen_operators
        }
        if about is not None:
            for operator, found in self.found.items():
                self.found[operator] = replace(
                    found, premises=[p for p in found.premises if p.facts[0].id in about]
                )

    def _budget(self, operator: Operator, facts: Sequence[Fact], engine: Engine) -> int:
        """How many tokens of other facts a prompt has room for."""
        if operator.arity != "corpus":
            return 0
        head = engine.count(operators.prefix(operator, operator.exemplars))
        longest = max((engine.count(fact.text) for fact in facts), default=0)
        room = engine.window - head - longest - self._max_tokens(operator) - _MARGIN
        return max(0, min(self._settings.context_tokens, room))

    def _max_tokens(self, operator: Operator) -> int:
        return min(self._settings.max_tokens, operator.max_tokens or self._settings.max_tokens)

    def _samples(self, operator: Operator, premises: Premises) -> int:
        """How often these premises are put to the model; at least once for each conclusion that a
        rule draws.
        """
        if operator.function:
            return len(operators.FUNCTIONS[operator.function](premises.facts[0].text))
        wanted = min(self._settings.samples, operator.samples or self._settings.samples)
        return max(wanted, len(premises.openings))

    @property
    def notes(self) -> list[str]:
        """What the user should know of facts that got fewer partners than they have."""
        told = (
            "{name}: {count} facts have more partners than are taken (augment.partners, "
            "augment.context_tokens)"
        )
        return [
            told.format(name=o.name, count=found.capped)
            for o, found in self.found.items()
            if found.capped
        ]

    def __len__(self) -> int:
        return sum(
            self._samples(operator, premises)
            for operator, found in self.found.items()
            for premises in found.premises
        )

    def __iter__(self) -> Iterator[Planned]:
        longest = max((len(found.premises) for found in self.found.values()), default=0)
        for start in range(0, longest, _BLOCK):
            for operator, found in self.found.items():
                block = found.premises[start : start + _BLOCK]
                yield from (
                    self._ruled(operator, block)
                    if operator.function
                    else self._asked(operator, block)
                )

    def _ruled(self, operator: Operator, block: Sequence[Premises]) -> Iterator[Planned]:
        for premises in block:
            fact = premises.facts[0]
            for sample, text in enumerate(operators.FUNCTIONS[operator.function](fact.text)):
                # The engine is part of it because of what may be scored.
                key = fingerprint(
                    [operator.name, operator.function, fact.id, fact.text, sample, self._engine]
                )
                request = Request.ruled(key, fact.text)
                yield Planned(request, operator, premises, sample, written=text)

    def _asked(self, operator: Operator, block: Sequence[Premises]) -> Iterator[Planned]:
        """The requests of an operator; those that show the same exemplars follow one another."""
        groups: dict[tuple[Exemplar, ...], list[Premises]] = {}
        for premises in block:
            groups.setdefault(self._exemplars(operator, premises), []).append(premises)
        for exemplars, members in groups.items():
            known: tuple[Fact, ...] | None = None
            prefix = ""
            for premises in members:
                if premises.known is not known:
                    known = premises.known
                    prefix = operators.prefix(operator, exemplars, [fact.text for fact in known])
                yield from self._samples_of(operator, premises, prefix)

    def _exemplars(self, operator: Operator, premises: Premises) -> tuple[Exemplar, ...]:
        own = self._own.get(operator.name)
        if not own:
            return operator.exemplars
        return chosen(
            operator, own, [fact.text for fact in premises.facts], self._settings.exemplars
        )

    def _samples_of(self, operator: Operator, premises: Premises, prefix: str) -> Iterator[Planned]:
        target = premises.facts[0].text
        answer = operators.answer_of(operator, target)
        suffix = operators.suffix(operator, [fact.text for fact in premises.facts], answer)
        openings = (
            premises.openings
            if operator.prefill == "conclusion"
            else (operators.opening(operator, target),)
        )
        max_tokens = self._max_tokens(operator)
        for sample in range(self._samples(operator, premises)):
            opening = openings[sample % len(openings)]
            greedy = sample < len(openings)  # the first of each
            text_seed = f"{self._seed}:{premises.id}:{operator.name}:{sample}"
            temperature = 0.0 if greedy else self._settings.temperature
            top_p = 1.0 if greedy else self._settings.top_p
            # The key names all that a completion depends on, and nothing else: not the batch size,
            # not the device.
            what = [
                prefix,
                suffix,
                opening,
                self._chat,
                text_seed,
                temperature,
                top_p,
                max_tokens,
                self._engine,
            ]
            request = Request(
                key=fingerprint(what),
                prefix=prefix,
                suffix=suffix,
                seed=text_seed,
                temperature=temperature,
                top_p=top_p,
                max_tokens=max_tokens,
                opening=opening,
                chat=self._chat,
            )
            yield Planned(request, operator, premises, sample, answer)


def _answerable(operator: Operator, found: Found) -> Found:
    """Without the facts in which there is nothing to ask for, where the operator asks."""
    if operator.answer == "none":
        return found
    left = [p for p in found.premises if _asks(operator, p.facts[0].text)]
    return replace(found, premises=left, without=found.without + len(found.premises) - len(left))


def _asks(operator: Operator, text: str) -> bool:
    form = logic.parse(text)
    return bool(operators.answer_of(operator, text)) and (
        form is None or form.kind not in logic.GENERAL
    )
