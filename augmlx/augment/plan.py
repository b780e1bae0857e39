"""Facts x operators -> requests, in one fixed order, before the first of them runs.

That order is what lets a killed run go on to the same bytes: batches are cut from it, and a batch's
rows share their last bits.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from augmlx.augment import operators, prompt_parts
from augmlx.augment.languages.detection import languages_of
from augmlx.augment.languages.lexicon import ENGLISH
from augmlx.augment.operators import Exemplar, Operator
from augmlx.augment.operators.exemplars import Exemplars
from augmlx.augment.operators.leads import Lead, leads
from augmlx.augment.operators.nearest_exemplars import nearest
from augmlx.augment.operators.variants import in_language, is_read_in
from augmlx.augment.premise_finder import PremiseFinder
from augmlx.augment.premises import PremiseList, Premises
from augmlx.augment.prompt_parts import Beginning
from augmlx.core.example_id import ExampleId
from augmlx.core.records import Fact, fingerprint
from augmlx.core.settings import AugmentSettings
from augmlx.engines.protocol import Engine, Prompting, Request

# Facts that all operators go through before the next ones are taken up. Within a block a prompt's
# prefix is shared, and what was found out about a fact is still known.
_BLOCK = 128
_MARGIN = 16  # tokens for what joins the parts of a prompt


@dataclass(frozen=True, slots=True)
class Planned:
    """One request with what it is for.

    Args:
        request: what the engine is asked.
        operator: what asks it, in the language of the fact.
        premises: the facts it asks about.
        sample: which sample of the operator on them, from 0.
        source: what is said again: the first of them, or the plain statement in it.
        answer: what a question must ask for.
        lead: which of the results that are wanted of the operator on them.
        written: the result of an operator that needs no model; None where the engine writes it.
        language: the one whose rules its result is held to.
    """

    request: Request
    operator: Operator
    premises: Premises
    sample: int
    source: str
    answer: str = ""
    lead: int = 0
    written: str | None = None
    language: str = ENGLISH

    @property
    def id(self) -> str:
        """Such as "f0001/reversal/0", or "f0001+f0007/chain/0" for a pair."""
        example_id = ExampleId(self.premises.id, self.operator.name, self.sample)
        return str(example_id)


class Plan:
    """Every request of a run; iterating renders them, one after the other, as often as needed.

    Args:
        facts: all that there are.
        chosen_operators: in the order in which they are asked.
        settings: how often, how long, and how many partners.
        seed: of the sampling.
        engine: counts tokens, and names itself in the requests' keys.
        own: the user's own exemplars.
        about: ids of facts; only what starts from one of them is asked for. None is all.

    Attributes:
        premise_lists: operator -> what it starts from.
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
        self._settings = settings
        self._seed = seed
        self._own = own or {}
        self._engine = engine.fingerprint
        spoken = languages_of([fact.text for fact in facts])
        self._languages = {fact.id: code for fact, code in zip(facts, spoken, strict=True)}
        self._prompting: Prompting = (
            engine.prompting if settings.prompting == "auto" else settings.prompting
        )
        finder = PremiseFinder(facts, partners=settings.partners, count=engine.count)
        self.premise_lists: dict[Operator, PremiseList] = {}
        for operator in chosen_operators:
            budget = self._budget(operator, facts, engine)
            premise_list = self._answerable(operator, finder.find(operator, budget))
            if about is not None:
                premise_list = _only(premise_list, about)
            self.premise_lists[operator] = premise_list

    def _variant(self, operator: Operator, premises: Premises) -> Operator:
        """The operator in the language of the fact it starts from."""
        return in_language(operator, self._language(operator, premises))

    def _language(self, operator: Operator, premises: Premises) -> str:
        return is_read_in(operator, self._languages[premises.facts[0].id])

    def _answerable(self, operator: Operator, premise_list: PremiseList) -> PremiseList:
        """Without the facts in which there is nothing to ask for, where the operator asks."""
        if not operator.asks:
            return premise_list
        left = [each for each in premise_list.premises if self._has_answer(operator, each)]
        dropped = len(premise_list.premises) - len(left)
        return replace(premise_list, premises=left, without=premise_list.without + dropped)

    def _has_answer(self, operator: Operator, premises: Premises) -> bool:
        """Whether there is something to ask for in a fact, or the model looks for it."""
        variant = self._variant(operator, premises)
        if not variant.gives_answer:
            return True
        return any(lead.answer for lead in leads(variant, premises.facts[0].text))

    def _budget(self, operator: Operator, facts: Sequence[Fact], engine: Engine) -> int:
        """How many tokens of other facts a prompt has room for."""
        if operator.arity != "corpus":
            return 0
        shown = operator.exemplars[: self._settings.exemplars]
        shared = prompt_parts.beginning(operator, shown, (), self._prompting)
        lengths = [engine.count(fact.text) for fact in facts]
        longest = max(lengths, default=0)
        used = engine.count(shared.texts) + shared.marks + longest
        used += self._max_tokens(operator) + _MARGIN
        room = max(0, engine.window - used)
        return min(self._settings.context_tokens, room)

    def _max_tokens(self, operator: Operator) -> int:
        most = self._settings.max_tokens
        return min(most, operator.max_tokens or most)

    def _samples(self, operator: Operator, premises: Premises) -> int:
        """How often these premises are put to the model; at least once for each conclusion that a
        rule draws.
        """
        if operator.function:
            return len(_texts_by_rule(operator, premises))
        most = self._settings.samples
        wanted = min(most, self._variant(operator, premises).samples or most)
        return max(wanted, len(premises.openings))

    @property
    def notes(self) -> list[str]:
        """What the user should know of facts that got fewer partners than they have, and of
        operators that are asked otherwise than the others.
        """
        notes = []
        for operator, premise_list in self.premise_lists.items():
            if premise_list.capped:
                notes.append(
                    f"{operator.name}: {premise_list.capped} facts have more partners than are "
                    "taken (augment.partners, augment.context_tokens)"
                )
            if prompt_parts.way_of(operator, self._prompting) != self._prompting:
                notes.append(
                    f"{operator.name}: asked in one message, not in turns, for its file has a "
                    "prefix or suffix of its own"
                )
        return notes

    def __len__(self) -> int:
        total = 0
        for operator, premise_list in self.premise_lists.items():
            total += sum(self._samples(operator, each) for each in premise_list.premises)
        return total

    def __iter__(self) -> Iterator[Planned]:
        lengths = [len(premise_list.premises) for premise_list in self.premise_lists.values()]
        for start in range(0, max(lengths, default=0), _BLOCK):
            for operator, premise_list in self.premise_lists.items():
                block = premise_list.premises[start : start + _BLOCK]
                if operator.function:
                    yield from self._by_rule(operator, block)
                else:
                    yield from self._by_engine(operator, block)

    # Operators that need no model

    def _by_rule(self, operator: Operator, block: Sequence[Premises]) -> Iterator[Planned]:
        for premises in block:
            fact = premises.facts[0]
            for sample, text in enumerate(_texts_by_rule(operator, premises)):
                basis = [
                    operator.name,
                    operator.function,
                    fact.id,
                    fact.text,
                    sample,
                    self._engine,  # because of what may be scored
                ]
                request = Request.ruled(fingerprint(basis), fact.text)
                yield Planned(request, operator, premises, sample, fact.text, written=text)

    # Operators that ask the engine

    def _by_engine(self, operator: Operator, block: Sequence[Premises]) -> Iterator[Planned]:
        """The requests of an operator; those that show the same exemplars follow one another."""
        members_by_shown: dict[tuple[Operator, tuple[Exemplar, ...]], list[Premises]] = {}
        for premises in block:
            variant = self._variant(operator, premises)
            exemplars = self._exemplars(operator, variant, premises)
            members_by_shown.setdefault((variant, exemplars), []).append(premises)
        for (variant, exemplars), members in members_by_shown.items():
            known: tuple[Fact, ...] | None = None
            for premises in members:
                if premises.known is not known:
                    known = premises.known
                    texts = [fact.text for fact in known]
                    shared = prompt_parts.beginning(variant, exemplars, texts, self._prompting)
                yield from self._samples_of(variant, premises, shared)

    def _exemplars(
        self, operator: Operator, variant: Operator, premises: Premises
    ) -> tuple[Exemplar, ...]:
        own = self._own.get(operator.name, ())
        if variant != operator:
            own = _spoken(own, self._language(operator, premises))
        if not own:
            return variant.exemplars[: self._settings.exemplars]
        texts = [fact.text for fact in premises.facts]
        return nearest(variant, own, texts, self._settings.exemplars)

    def _samples_of(
        self, operator: Operator, premises: Premises, shared: Beginning
    ) -> Iterator[Planned]:
        leads = _leads(operator, premises)
        others = [fact.text for fact in premises.facts[1:]]
        for sample in range(self._samples(operator, premises)):
            turn, number = divmod(sample, len(leads))
            lead = leads[number]
            is_greedy = turn < len(lead.openings)
            opening = lead.openings[turn if is_greedy else -1]
            request = self._request(
                shared,
                prompt_parts.ending(operator, [lead.source, *others], lead.answer, self._prompting),
                opening=opening,
                stop=prompt_parts.stop_of(operator, opening, self._prompting),
                seed=f"{self._seed}:{premises.id}:{operator.name}:{sample}",
                is_greedy=is_greedy,
                max_tokens=self._max_tokens(operator),
            )
            yield Planned(
                request,
                operator,
                premises,
                sample,
                lead.source,
                lead.answer,
                lead=number,
                language=self._language(operator, premises),
            )

    def _request(
        self,
        shared: Beginning,
        suffix: str,
        *,
        opening: str,
        stop: str,
        seed: str,
        is_greedy: bool,
        max_tokens: int,
    ) -> Request:
        temperature = 0.0 if is_greedy else self._settings.temperature
        top_p = 1.0 if is_greedy else self._settings.top_p
        # The key names all that a completion depends on, and nothing else: not the batch size, not
        # the device.
        prompt = [shared.prefix, suffix, opening, shared.chat]
        sampling = [seed, temperature, top_p, max_tokens]
        # Only where there are any, so that what was written without them is known by its key.
        in_turns = [shared.system, shared.turns, stop] if shared.turns else []
        return Request(
            key=fingerprint([*prompt, *sampling, self._engine, *in_turns]),
            prefix=shared.prefix,
            suffix=suffix,
            seed=seed,
            temperature=temperature,
            top_p=top_p,
            max_tokens=max_tokens,
            stop=stop,
            opening=opening,
            chat=shared.chat,
            system=shared.system,
            turns=shared.turns,
        )


def _spoken(exemplars: Sequence[Exemplar], code: str) -> tuple[Exemplar, ...]:
    """The exemplars whose fact is in a language."""
    spoken = languages_of([exemplar.premises[0] for exemplar in exemplars])
    pairs = zip(exemplars, spoken, strict=True)
    return tuple(exemplar for exemplar, other in pairs if other == code)


def _leads(operator: Operator, premises: Premises) -> tuple[Lead, ...]:
    """How the samples of an operator on its premises begin, one after the other."""
    text = premises.facts[0].text
    if operator.prefill == "conclusion":
        return tuple(Lead(text, (opening,)) for opening in premises.openings)
    return leads(operator, text)


def _texts_by_rule(operator: Operator, premises: Premises) -> list[str]:
    """What the function of an operator that needs no model makes of its fact."""
    function = operators.FUNCTIONS[operator.function]
    return function(premises.facts[0].text)


def _only(premise_list: PremiseList, about: Collection[str]) -> PremiseList:
    """What starts from facts of these ids."""
    left = [each for each in premise_list.premises if each.facts[0].id in about]
    return replace(premise_list, premises=left)
