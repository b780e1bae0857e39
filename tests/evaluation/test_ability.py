"""The control of general ability: its data, what is measured of a model, and what is called a
loss.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny import load_tiny

import augmlx
from augmlx.augment import anchors, unknown
from augmlx.core.errors import ModelError
from augmlx.core.progress import Silent
from augmlx.engines.mlx.engine import MlxEngine
from augmlx.engines.protocol import Score
from augmlx.engines.scripted import ScriptedEngine
from augmlx.english.text import normalise
from augmlx.evaluation import ability
from augmlx.evaluation.ability import TOLERANCE, items, measure, passages, regressions
from augmlx.evaluation.prompts import as_prompt
from augmlx.evaluation.summary import Ability, Regression

PACKAGE = Path(augmlx.__file__).parent
DATA = PACKAGE / "evaluation" / "ability_texts"
ANSWERS = {as_prompt(item.prompt): f" {item.answer}" for item in items()}


# The data


def test_the_text_is_of_the_length_and_kinds_that_its_readme_says() -> None:
    told = (DATA / "README.md").read_text("utf-8")
    assert f"{len(passages())} passages" in told
    assert f"{len(items())} questions of {len({item.kind for item in items()})} kinds" in told
    assert 1200 <= sum(len(passage.split()) for passage in passages()) <= 2000
    assert all(50 <= len(passage.split()) <= 120 and "\n" not in passage for passage in passages())


def test_the_data_state_their_source_and_the_licence_of_the_package() -> None:
    told = (DATA / "README.md").read_text("utf-8")
    about = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))[
        "project"
    ]
    assert "Written for augmlx" in told
    assert f"Licence: {about['license']}," in told


def test_every_question_has_four_choices_and_is_asked_once() -> None:
    for item in items():
        assert len({normalise(choice) for choice in item.choices}) == 4, item.prompt
        assert item.answer in item.choices
    assert len({normalise(item.prompt) for item in items()}) == len(items())


def test_no_kind_is_so_small_or_large_that_it_decides_alone() -> None:
    sizes = [sum(item.kind == kind for item in items()) for kind in {item.kind for item in items()}]
    assert min(sizes) >= len(items()) / len(sizes) / 1.5
    assert max(sizes) <= len(items()) / len(sizes) * 1.5


def test_the_data_meet_neither_the_example_nor_the_anchors() -> None:
    ours = " ".join(map(normalise, [*passages(), *ANSWERS]))
    facts = (PACKAGE / "data" / "starter_files" / "facts.csv").read_text("utf-8").splitlines()[1:]
    ours_not = [line.partition(",")[2] for line in facts]
    lists = anchors.shipped()
    ours_not += [
        *lists.openers,
        *lists.everyday,
        *lists.known,
        *lists.requests,
        *unknown.shipped().names,
    ]
    for text in ours_not:
        assert normalise(text) not in ours
    names = set(
        re.findall(
            r"[A-Z]\w+ [A-Z]\w+",
            (PACKAGE / "data" / "starter_files" / "facts.csv").read_text("utf-8"),
        )
    )
    assert len(names) > 20
    assert not [name for name in names if normalise(name) in ours]


# What is measured


def engine(nats: float = 2.0, *, knows: Callable[[str], bool] = lambda _: True) -> ScriptedEngine:
    """Reads every word at the cost of so many nats, and answers what it knows."""

    def weigh(prompt: str, text: str) -> float:
        if prompt not in ANSWERS:
            return -nats * len(text.split())
        return -1.0 if (text == ANSWERS[prompt]) == knows(prompt) else -50.0

    return ScriptedEngine(lambda _: "", weigh=weigh)


def but(*lost: int) -> Callable[[str], bool]:
    """Knows all answers but those of some questions."""
    unknown = {as_prompt(items()[number].prompt) for number in lost}
    return lambda prompt: prompt not in unknown


def test_perplexity_is_of_all_words_but_the_first_eight_of_a_passage() -> None:
    found = measure(engine())
    words = [len(passage.split()) - 8 for passage in passages()]
    assert found.chunks == tuple((-2.0 * count, count) for count in words)
    assert found.tokens == sum(words)
    assert found.perplexity == pytest.approx(math.exp(2))


def test_a_question_is_right_where_its_answer_is_the_likeliest_choice() -> None:
    found = measure(engine(knows=but(0, 7)))
    assert [number for number, correct in enumerate(found.correct) if not correct] == [0, 7]
    assert found.n == len(items())
    assert found.accuracy == pytest.approx(1 - 2 / len(items()))


def test_choices_are_weighed_per_token() -> None:
    def weigh(prompt: str, text: str) -> float:
        words = len(text.split())
        return -(1.5 if text == ANSWERS.get(prompt) else 2.0) * words

    used = ScriptedEngine(lambda _: "", weigh=weigh)
    longer = [
        i
        for i in items()
        if len(i.answer.split()) > min(len(choice.split()) for choice in i.choices)
    ]
    assert longer  # these would be wrong by the sum
    assert measure(used).accuracy == 1


class Windowed(ScriptedEngine):
    """Notes what it is given of the text; a token is a word."""

    def __init__(self, window: int) -> None:
        super().__init__(lambda _: "")
        self.window = window
        self.read: list[tuple[str, str]] = []

    def score(
        self, prompts: Sequence[str], continuations: Sequence[str], *, prefix: str = ""
    ) -> list[Score]:
        self.read += [
            pair for pair in zip(prompts, continuations, strict=True) if pair[0] not in ANSWERS
        ]
        return super().score(prompts, continuations, prefix=prefix)


@given(st.integers(22, 130))
def test_any_window_is_enough_for_all_of_the_text(window: int) -> None:
    used = Windowed(window)
    found = measure(used)
    assert " ".join(f"{given}{rest}" for given, rest in used.read) == " ".join(passages())
    assert all(
        0 < used.count(given) <= 8 < used.count(given + rest) <= window for given, rest in used.read
    )
    assert len(found.chunks) == len(used.read)


def test_a_window_without_room_for_a_question_is_refused() -> None:
    with pytest.raises(ModelError, match="a window of 9 tokens is too small") as told:
        measure(Windowed(9))
    assert told.value.hint == "leave it out: eval.ability = false"


@pytest.mark.parametrize("nats", [math.nan, math.inf])
def test_a_model_whose_scores_are_no_numbers_is_refused(nats: float) -> None:
    with pytest.raises(ModelError, match="no numbers"):
        measure(engine(nats))


def test_a_loss_beyond_what_a_float_holds_is_a_number_still() -> None:
    broken = measure(engine(1e4))
    assert broken.perplexity > 1e300
    assert [row.what for row in regressions(measure(engine()), broken, "augmented", seed=0)] == [
        "perplexity"
    ]


class Counting(Silent):
    """Counts the steps of one task."""

    total, done = 0, 0

    @contextmanager
    def task(self, label: str, total: int, *, done: int = 0) -> Iterator[Counting]:
        self.total += total
        yield self

    def advance(self, steps: int = 1, *, note: str = "", point: float | None = None) -> None:
        self.done += steps


def test_progress_ends_at_its_total() -> None:
    counting = Counting()
    measure(engine(), counting)
    assert counting.done == counting.total == len(passages()) + len(items())


def test_the_mark_is_of_the_data(monkeypatch: pytest.MonkeyPatch) -> None:
    before = ability.mark()
    assert ability.mark() == before
    monkeypatch.setattr(ability, "passages", lambda: ["Another text."])
    assert ability.mark() != before


# What is called a loss


def lost(after: ScriptedEngine) -> list[Regression]:
    return regressions(measure(engine()), measure(after), "augmented", seed=0)


def test_an_equal_model_has_lost_nothing() -> None:
    assert lost(engine()) == []


def test_a_planted_loss_is_reported_with_its_size() -> None:
    text, questions = lost(engine(2.2, knows=but(*range(10, 30))))
    assert {text.arm, questions.arm} == {"augmented"}
    assert (text.what, questions.what) == ("perplexity", "questions")
    assert (text.before, text.after) == pytest.approx((math.exp(2), math.exp(2.2)))
    assert (text.low, text.high) == pytest.approx((math.exp(0.2), math.exp(0.2)))
    assert text.text == (
        "The augmented arm reads ordinary text worse than the base model: its perplexity is 9.03 "
        "where it was 7.39, "
        "1.22 times as high (95 % interval 1.22 to 1.22)."
    )
    assert (questions.before, questions.after) == (1, 0.75)
    assert questions.low < -0.25 < questions.high < -0.1
    assert questions.text.startswith(
        "The augmented arm answers fewer everyday questions than the base model: 75 % of 80 where "
        "it was 100 % "
        "(20 lost, 0 won; 95 % interval of the change -"
    )


@pytest.mark.parametrize(
    ("share", "named"), [(TOLERANCE - 0.01, []), (TOLERANCE + 0.01, ["perplexity"])]
)
def test_a_perplexity_within_the_tolerance_is_no_loss(share: float, named: list[str]) -> None:
    assert [row.what for row in lost(engine(2 + math.log(1 + share)))] == named


def test_one_passage_that_became_hard_is_no_loss_of_ability() -> None:
    before = measure(engine())
    (nats, tokens), *rest = before.chunks
    chunks = ((2 * nats, tokens), *rest)
    loss = -sum(nats for nats, _ in chunks) / before.tokens
    assert math.exp(loss - 2) > 1 + TOLERANCE
    assert (
        regressions(before, replace(before, chunks=chunks, perplexity=math.exp(loss)), "x", seed=0)
        == []
    )


def flipped(losses: int, gains: int) -> tuple[Ability, Ability]:
    """Before and after, with so many questions lost and won."""
    whole = measure(engine())
    spared = [True] * (len(items()) - losses - gains)
    before, after = (
        ([True] * losses + [False] * gains + spared),
        ([False] * losses + [True] * gains + spared),
    )
    one, other = (
        replace(whole, correct=tuple(c), accuracy=sum(c) / len(c)) for c in (before, after)
    )
    return one, other


@pytest.mark.parametrize(("losses", "gains"), [(1, 0), (4, 0), (6, 2), (12, 9), (3, 12), (0, 20)])
def test_a_few_questions_either_way_are_chance(losses: int, gains: int) -> None:
    assert regressions(*flipped(losses, gains), "x", seed=0) == []


@pytest.mark.parametrize(("losses", "gains"), [(7, 0), (14, 3), (40, 10)])
def test_many_questions_one_way_are_a_loss(losses: int, gains: int) -> None:
    (row,) = regressions(*flipped(losses, gains), "x", seed=0)
    assert row.what == "questions"
    assert row.after - row.before == pytest.approx((gains - losses) / len(items()))
    assert f"({losses} lost, {gains} won;" in row.text


@given(st.lists(st.floats(-1, 1), min_size=16, max_size=16), st.integers(0, 100))
def test_a_perplexity_that_is_called_a_loss_is_above_the_tolerance_and_within_its_interval(
    rises: list[float], seed: int
) -> None:
    before = measure(engine())
    pairs = zip(before.chunks, rises, strict=True)
    chunks = tuple((nats - rise * n, n) for (nats, n), rise in pairs)
    perplexity = math.exp(-sum(nats for nats, _ in chunks) / before.tokens)
    after = replace(before, chunks=chunks, perplexity=perplexity)
    for row in regressions(before, after, "x", seed=seed):
        assert 1 + TOLERANCE < row.low <= row.after / row.before <= row.high


def test_measures_of_other_data_cannot_be_compared() -> None:
    before = measure(engine())
    with pytest.raises(ValueError, match="shorter"):
        regressions(before, replace(before, chunks=before.chunks[1:]), "x", seed=0)


# A real model, if a tiny one


def test_a_tiny_model_that_is_disturbed_has_lost(tmp_path: Path) -> None:
    loaded = load_tiny(tmp_path / "model", max_position_embeddings=96)
    used = MlxEngine(loaded)
    before = measure(used)
    assert max(tokens for _, tokens in before.chunks) < 96
    assert len(before.chunks) > 2 * len(passages())
    assert before.n == len(items())
    assert regressions(before, measure(MlxEngine(loaded)), "finetuned", seed=0) == []
    # A model that knows nothing loses by being more certain of it.
    loaded.model.model.norm.weight = 2 * loaded.model.model.norm.weight
    (row, *_) = regressions(before, measure(MlxEngine(loaded)), "finetuned", seed=0)
    assert (row.arm, row.what) == ("finetuned", "perplexity")
    assert row.after > row.before == before.perplexity


def test_a_window_of_tiny_tokens_is_told_from_one_too_small(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="a window of 32 tokens"):
        measure(MlxEngine(load_tiny(tmp_path / "model", max_position_embeddings=32)))


def test_losses_of_several_seeds_are_told_in_a_sentence_for_each_kind() -> None:
    lost = [
        Regression("finetuned", "perplexity", 26.9, 210.8, 7.0, 8.0, ""),
        Regression("augmented", "perplexity", 26.9, 170.4, 6.0, 7.0, ""),
        Regression("augmented", "perplexity", 26.9, 126.9, 4.0, 5.0, ""),
        Regression("augmented", "questions", 0.775, 0.525, -0.4, -0.1, ""),
    ]
    assert ability.loss_notes(lost) == [
        "General ability fell: ordinary text has a perplexity of 211 (finetuned), 127 to 170 "
        "(augmented), "
        "where it had 27.",
        "General ability fell: of everyday questions 53 % (augmented) are answered right, where "
        "78 % were.",
    ]
    assert ability.loss_notes([]) == []
