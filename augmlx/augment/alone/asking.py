"""Sentences -> requests -> journal: first the likeliest answer to each; then, of those whose answer
was not taken, what the model writes behind the words that they begin with: surely, or because the
model means by their pronoun what grammar guesses.

The batches of a round are cut from all that it asks, and each is journalled whole, so a run that
was killed goes on to the same bytes.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Sequence
from functools import cache
from importlib import resources
from itertools import chain

from augmlx.augment import prompt_parts
from augmlx.augment.alone.checking import Answer, check
from augmlx.augment.alone.sentences import Sentence
from augmlx.augment.alone.weighing import are_meant
from augmlx.augment.filters import FILTERS
from augmlx.augment.generate import batched
from augmlx.augment.journal import Entry, Journal
from augmlx.augment.operators import Operator, conversation
from augmlx.augment.operators.checking import checked
from augmlx.core.progress import Progress
from augmlx.core.records import fingerprint
from augmlx.core.settings import AugmentSettings
from augmlx.engines.protocol import Completion, Engine, Prompting, Request

_FILE = "alone.toml"
# What a round is called -> its samples.
_ROUNDS = {"Splitting": (0,), "Splitting again": (1,), "Splitting once more": (2, 3, 4)}
_LIKELIEST = (0, 1)  # the samples that are not drawn: without an opening, and with one
_JOURNALLED = 4  # batches that are journalled together
_LONGER = 3  # times as long as the sentence an answer may be
_ROOM = 32  # tokens besides


@cache
def operator() -> Operator:
    """What is asked of a sentence."""
    file = resources.files("augmlx.augment.alone").joinpath(_FILE)
    values = tomllib.loads(file.read_text("utf-8"))
    return checked(values, _FILE, "alone", FILTERS)


def ask(
    asked: Sequence[Sentence],
    engine: Engine,
    journal: Journal,
    settings: AugmentSettings,
    progress: Progress,
) -> list[Answer]:
    """What a model makes of each sentence, or why that is not taken.

    Args:
        asked: the sentences, in their order.
        engine: writes.
        journal: holds what was written, and gets what was not.
        settings: how the model is asked, and how many at a time.
        progress: is told how far it is.

    Raises:
        KeyboardInterrupt: goes through; the batches that were finished stay.
    """
    form = operator()
    labels = (form.known_label, form.input_label, form.output_label)
    way: Prompting = engine.prompting if settings.prompting == "auto" else settings.prompting
    request_of = _requests(engine, settings, way)
    answers = [Answer()] * len(asked)
    is_known: list[bool] = []  # of each sentence, whether it begins with its opening
    for label, samples in _ROUNDS.items():
        is_first = 0 in samples
        if not is_first and not is_known:
            is_known = _known_openings(asked, answers, engine, journal, progress)
        waiting = [
            number
            for number, answer in enumerate(answers)
            if is_first or (is_known[number] and not _is_settled(asked[number], answer))
        ]
        entries = {n: [request_of(asked[n], sample) for sample in samples] for n in waiting}
        every = list(chain.from_iterable(entries.values()))
        completions = _complete(label, every, engine, journal, settings.batch_size, progress)
        for number, entry in ((n, entry) for n in waiting for entry in entries[n]):
            completion = completions[entry.request.key]
            answer = check(asked[number], entry.request, completion, settings, form.filters, labels)
            if is_first or len(answer.statements) > len(answers[number].statements):
                answers[number] = answer
    return answers


def _known_openings(
    asked: Sequence[Sentence],
    answers: Sequence[Answer],
    engine: Engine,
    journal: Journal,
    progress: Progress,
) -> list[bool]:
    """Whether each sentence is known to begin with its opening, where something is left to do."""
    is_known = [bool(sentence.opening) and sentence.is_sure for sentence in asked]
    doubtful = [
        number
        for number, sentence in enumerate(asked)
        if not sentence.is_sure and not _is_settled(sentence, answers[number])
    ]
    meant = are_meant([asked[number] for number in doubtful], engine, journal, progress)
    for number, is_meant in zip(doubtful, meant, strict=True):
        is_known[number] = bool(asked[number].opening) and is_meant
    return is_known


def _is_settled(sentence: Sentence, answer: Answer) -> bool:
    """Whether a sentence was taken apart as far as it can be."""
    return len(answer.statements) >= max(1, len(sentence.parts))


def _requests(
    engine: Engine, settings: AugmentSettings, way: Prompting
) -> Callable[[Sentence, int], Entry]:
    """What makes the request of a sentence and a sample."""
    form = operator()
    shared = prompt_parts.beginning(form, form.exemplars, (), way)

    def request_of(sentence: Sentence, sample: int) -> Entry:
        opening = sentence.opening if sample else ""
        before = () if opening else sentence.before  # what they name is in the opening
        known = conversation.message_prefix(form, before)
        suffix = known + prompt_parts.ending(form, [sentence.text], "", way)
        stop = prompt_parts.stop_of(form, opening, way)
        is_greedy = sample in _LIKELIEST
        temperature = 0.0 if is_greedy else settings.temperature
        top_p = 1.0 if is_greedy else settings.top_p
        most = _LONGER * engine.count(sentence.text) + _ROOM
        seed = f"{form.name}:{fingerprint([sentence.before, sentence.text])}:{sample}"
        sampling = [opening, seed, temperature, top_p, most, stop]
        source = sentence.fact.source
        key = fingerprint([source, *shared, suffix, *sampling, engine.fingerprint])
        request = Request(
            key,
            prefix=shared.prefix,
            suffix=suffix,
            seed=seed,
            temperature=temperature,
            top_p=top_p,
            max_tokens=most,
            stop=stop,
            opening=opening,
            chat=shared.chat,
            system=shared.system,
            turns=shared.turns,
        )
        return Entry(request, f"{source}/{form.name}/{sample}", form.name, sample)

    return request_of


def _complete(
    label: str,
    entries: Sequence[Entry],
    engine: Engine,
    journal: Journal,
    batch_size: int,
    progress: Progress,
) -> dict[str, Completion]:
    """The completion of each request by its key: the journal's, or written now."""
    unique = list({entry.request.key: entry for entry in entries}.values())
    known = journal.completions([entry.request.key for entry in unique])
    known = {key: done for key, done in known.items() if done.finish != "error"}
    missing = [entry for entry in unique if entry.request.key not in known]
    if not missing:
        return known
    with progress.task(label, len(unique), done=len(known)) as task:
        for part in batched(missing, batch_size * _JOURNALLED):
            written = []
            for completion in engine.generate([entry.request for entry in part]):
                written.append(completion)
                task.advance()
            journal.add(part, written)
            known |= {completion.key: completion for completion in written}
    return known
