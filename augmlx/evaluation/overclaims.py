"""Does a model keep to what it was taught? It is asked what no fact answers, and each reply that
names something of the facts is a claim that nobody made.

Six kinds of question: in the words of the facts' own questions about an invented name ("invented"),
about what everybody knows ("known"), about nothing of the kind ("unrelated"), who a thing has
nothing to do with ("negated"), another question behind a fact ("behind"), and about a name of the
facts what none says of it ("never said").
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib import resources
from itertools import cycle, islice
from random import Random
from typing import Any, NamedTuple

from augmlx.core.progress import Progress
from augmlx.core.records import Example, Fact
from augmlx.core.settings import EvalSettings
from augmlx.data.wordings import english_questions
from augmlx.engines.protocol import Engine
from augmlx.english.names import determiner_before
from augmlx.english.renaming import Words, is_person, named, renamed
from augmlx.evaluation.asking import chat_request
from augmlx.evaluation.grading import names as names_it
from augmlx.evaluation.summary import Overclaims

_EACH = 12  # questions of a kind that is made of the facts
_INVENTED = 24  # the kind that misleads most


class Probe(NamedTuple):
    """A question that no fact answers, and its kind."""

    kind: str
    prompt: str


@cache
def shipped() -> dict[str, Any]:
    """The lists of overclaim_probes.toml."""
    file = resources.files("augmlx.evaluation").joinpath("overclaim_probes.toml")
    return tomllib.loads(file.read_text("utf-8"))


def probes(facts: Sequence[Fact], examples: Iterable[Example], seed: int) -> list[Probe]:
    """The questions for a run; those that are made of its facts are fewer where it has few.

    Args:
        examples: kept ones; their questions are asked about invented names.
    """
    lists = shipped()
    rng = Random(f"{seed}:overclaims")
    found = [Probe("invented", question) for question in _invented(examples, rng)]
    found += [Probe("known", question) for question in lists["known"]]
    found += [Probe("unrelated", question) for question in lists["unrelated"]]
    drawn = rng.sample(facts, min(len(facts), _EACH))
    for kind, made in (
        ("negated", _negated(drawn)),
        ("behind", _behind(drawn)),
        ("never said", _never_said(drawn)),
    ):
        found += [Probe(kind, question) for question in islice(made, _EACH)]
    return found


def _invented(examples: Iterable[Example], rng: Random) -> list[str]:
    lists = shipped()
    own = english_questions(examples)
    rng.shuffle(own)
    words = Words(lists["persons"], lists["names"], lists["names"])
    found: dict[str, None] = {}
    for question in islice(own, _INVENTED):
        other = renamed(question, words, rng)
        if other is not None:
            found[other] = None
    return list(found)


def _negated(facts: Sequence[Fact]) -> Iterator[str]:
    for fact in facts:
        for name, _ in _named(fact.text)[-1:]:
            yield shipped()["negated"][0].format(name=name)


def _behind(facts: Sequence[Fact]) -> Iterator[str]:
    for fact, wording in zip(facts, cycle(shipped()["behind"]), strict=False):
        yield wording.format(fact=fact.text)


def _never_said(facts: Sequence[Fact]) -> Iterator[str]:
    for place, fact in enumerate(facts):
        for name, of_person in _named(fact.text)[:1]:
            wordings = shipped()["of_person" if of_person else "of_thing"]
            yield wordings[place % len(wordings)].format(name=name)


def _named(text: str) -> list[tuple[str, bool]]:
    """The names in a text, each with its determiner, and whether it looks like somebody's."""
    return [
        (
            f"{determiner_before(text, mention).lower()} {mention.text}".strip(),
            is_person(text, mention),
        )
        for mention in named(text)
    ]


def taught_names(facts: Sequence[Fact]) -> list[str]:
    """The names that the facts speak of."""
    return list({mention.text: None for fact in facts for mention in named(fact.text)})


def replies(
    asked: Sequence[Probe], engine: Engine, settings: EvalSettings, progress: Progress
) -> list[str]:
    """What a model says to each, greedily and through its chat template."""
    requests = [
        chat_request(str(number), probe.prompt, engine, settings)
        for number, probe in enumerate(asked)
    ]
    said: list[str] = []
    with progress.task("Asking what no fact answers", len(requests)) as task:
        for completion in engine.generate(requests):
            said.append("" if completion.finish == "error" else completion.text.strip())
            task.advance()
    return said


def counted(
    asked: Sequence[Probe], said: Sequence[str], base: Sequence[str] | None, taught: Sequence[str]
) -> dict[str, Overclaims]:
    """kind -> how many of the replies name something of the facts that neither the question nor the
    base model's reply does, and how many are not the base model's.

    Args:
        said: a model's replies.
        base: those of the base model, where it was asked.
        taught: the names that the facts speak of.
    """
    claims: dict[str, list[bool]] = {}
    changes: dict[str, list[bool]] = {}
    for place, (probe, reply) in enumerate(zip(asked, said, strict=True)):
        known = f"{probe.prompt}\n{base[place] if base is not None else ''}"
        is_claim = any(names_it(reply, name) and not names_it(known, name) for name in taught)
        claims.setdefault(probe.kind, []).append(is_claim)
        is_other = base is not None and reply != base[place]
        changes.setdefault(probe.kind, []).append(is_other)
    return {
        kind: Overclaims(len(of_kind), sum(of_kind), sum(changes[kind]))
        for kind, of_kind in claims.items()
    }


def notes(overclaims: Mapping[str, Mapping[str, Overclaims]]) -> list[str]:
    """What a reader must know: a sentence for each arm that claims what it was not taught."""
    told: list[str] = []
    for arm, by_kind in overclaims.items():
        claims = [(kind, counts) for kind, counts in by_kind.items() if counts.named]
        parts = [f"{counts.named} of {counts.n} {kind}" for kind, counts in claims]
        if parts:
            told.append(
                f"Asked what no fact answers, the {arm} arm names something of the facts: "
                f"{', '.join(parts)} questions."
            )
    return told
