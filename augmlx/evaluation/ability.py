"""The control for everything else: is the model still as good at what has nothing to do with the
facts?

Each arm reads a text and answers everyday questions, both written for augmlx (ability_texts) and
the same in every run.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import resources

from augmlx.core.errors import ModelError
from augmlx.core.progress import Progress, Silent
from augmlx.core.records import EvalItem, fingerprint, to_json
from augmlx.core.settings import EvalSettings
from augmlx.data.questions import read_questions
from augmlx.engines.protocol import Engine, Score
from augmlx.evaluation.asking import answered_right
from augmlx.evaluation.items import from_questions
from augmlx.evaluation.prompts import as_prompt
from augmlx.evaluation.statistics import bootstrap, mcnemar, percent
from augmlx.evaluation.summary import Ability, Regression

# How much higher (as a share) a perplexity may be without being called a loss. Any training moves
# it: that of a text is the mean over a thousand tokens and more, so an interval excludes "no
# change" for one percent as well, which no reader could tell. 5 % is 0.05 nats a token.
TOLERANCE = 0.05

FELL = "General ability fell"
REMEDY = f"{FELL}: train.anchor = 2.0 holds the model at ordinary texts, which keeps more of it."
_CODE = 1  # raised when the same model would be measured otherwise than before
# Words at the start of a text that are not scored: nothing stands before to tell them from.
_GIVEN = 8
_TOGETHER = 16  # passages or questions in one call: between calls the measuring shows progress
_RULE = EvalSettings(score="token")
_DATA = resources.files("augmlx.evaluation") / "ability_texts"


def passages() -> list[str]:
    """The ordinary text, each passage on one line."""
    text = _DATA.joinpath("passages.txt").read_text("utf-8")
    return [" ".join(block.split()) for block in text.split("\n\n")]


def items() -> list[EvalItem]:
    """The everyday questions."""
    with resources.as_file(_DATA / "questions.csv") as path:
        return from_questions(read_questions(path), 4, seed=0)


def mark() -> str:
    """The fingerprint of what is measured: with another one, what was measured earlier cannot be
    compared.
    """
    return fingerprint([_CODE, _GIVEN, passages(), [to_json(item) for item in items()]])


def measure(engine: Engine, progress: Progress | None = None) -> Ability:
    """How well a model reads the shipped text and answers the everyday questions.

    A chunk is a passage behind its first eight words; a passage that does not fit the model's
    window is cut into chunks that do. A question is answered right where its answer is the choice
    that is likeliest per token.

    Raises:
        ModelError: the window is too small for a question, or the model's scores are no numbers.
    """
    questions = items()
    if max(_longest_tokens(item, engine) for item in questions) > engine.window:
        raise _too_small(engine)
    chunks: list[tuple[str, str]] = []
    for passage in passages():
        chunks += _chunks(passage.split(), engine)
    scores: list[Score] = []
    correct: list[bool] = []
    total = len(chunks) + len(questions)
    with (progress or Silent()).task("Measuring general ability", total) as task:
        for start in range(0, len(chunks), _TOGETHER):
            given, scored = zip(*chunks[start : start + _TOGETHER], strict=True)
            scores += engine.score(given, scored)
            task.advance(len(given))
        for start in range(0, len(questions), _TOGETHER):
            batch = questions[start : start + _TOGETHER]
            correct += answered_right(batch, engine, _RULE)
            task.advance(len(batch))
    tokens = sum(score.tokens for score in scores)
    loss = -sum(score.logprob for score in scores) / tokens
    if not math.isfinite(loss):
        raise ModelError(
            f"{engine.model}: its log-probabilities are no numbers",
            hint="train again with a lower train.learning_rate",
        )
    return Ability(
        perplexity=_exp(loss),
        tokens=tokens,
        accuracy=sum(correct) / len(correct),
        n=len(correct),
        correct=tuple(correct),
        chunks=tuple((score.logprob, score.tokens) for score in scores),
    )


def _longest_tokens(item: EvalItem, engine: Engine) -> int:
    prompt = as_prompt(item.prompt)
    return max(engine.count(f"{prompt} {choice}") for choice in item.choices)


def _chunks(words: Sequence[str], engine: Engine) -> list[tuple[str, str]]:
    """What is given and what is scored: the words in halves, and halves of these, until they fit
    the window.
    """
    if engine.count(" ".join(words)) <= engine.window:
        given = min(_GIVEN, len(words) // 2)
        return [(" ".join(words[:given]), " " + " ".join(words[given:]))]
    if len(words) < 4:
        raise _too_small(engine)
    middle = len(words) // 2
    first, second = words[:middle], words[middle:]
    return _chunks(first, engine) + _chunks(second, engine)


def _too_small(engine: Engine) -> ModelError:
    fault = f"a window of {engine.window} tokens is too small to measure general ability in"
    return ModelError(f"{engine.model}: {fault}", hint="leave it out: eval.ability = false")


def _exp(loss: float) -> float:
    return math.exp(min(loss, 700.0))  # a broken model's may be greater than a float holds


def regressions(before: Ability, after: Ability, arm: str, *, seed: int) -> list[Regression]:
    """What of general ability an arm has lost; none where nothing is lost.

    Both abilities are measured under one tokenizer; the intervals are 95 % bootstraps of their
    difference, paired.

    perplexity: low and high bound the ratio after / before, drawn over chunks. A loss where low is
        above 1 + TOLERANCE.
    questions: low and high bound the accuracy's change, drawn over questions. A loss where high is
        below 0 and McNemar's exact test agrees: four lost and none won are enough for the interval,
        and yet 1 in 16 by chance.
    """
    losses = (_of_perplexity(before, after, arm, seed), _of_questions(before, after, arm, seed))
    return [loss for loss in losses if loss is not None]


def _of_perplexity(before: Ability, after: Ability, arm: str, seed: int) -> Regression | None:
    rises: list[list[float]] = []
    for (was, tokens), (now, _) in zip(before.chunks, after.chunks, strict=True):
        # A chunk counts as often as it has tokens, so that the mean is the logarithm of the
        # perplexities' ratio.
        rises.append([(was - now) / tokens] * tokens)
    low, high = map(_exp, bootstrap(rises, seed=seed))
    if low <= 1 + TOLERANCE:
        return None
    ratio = after.perplexity / before.perplexity
    text = (
        f"The {arm} arm reads ordinary text worse than the base model: its perplexity is "
        f"{after.perplexity:.3g} where it was {before.perplexity:.3g}, {ratio:.3g} times as high "
        f"(95 % interval {low:.3g} to {high:.3g})."
    )
    return Regression(arm, "perplexity", before.perplexity, after.perplexity, low, high, text)


def _of_questions(before: Ability, after: Ability, arm: str, seed: int) -> Regression | None:
    changes = [int(now) - int(was) for was, now in zip(before.correct, after.correct, strict=True)]
    low, high = bootstrap([[float(change)] for change in changes], seed=seed)
    lost, won = changes.count(-1), changes.count(1)
    if high >= 0 or mcnemar(lost, won) >= 0.05:
        return None
    text = (
        f"The {arm} arm answers fewer everyday questions than the base model: "
        f"{percent(after.accuracy)} % of {len(changes)} where it was {percent(before.accuracy)} % "
        f"({lost} lost, {won} won; 95 % interval of the change {100 * low:+.0f} to "
        f"{100 * high:+.0f} points)."
    )
    return Regression(arm, "questions", before.accuracy, after.accuracy, low, high, text)


def loss_notes(losses: Iterable[Regression]) -> list[str]:
    """What a reader must know, a sentence for each sort of loss; an arm may have several losses of
    one sort, one for each seed.
    """
    by_sort: dict[str, dict[str, list[float]]] = {}  # sort of loss -> arm -> after
    before: dict[str, float] = {}
    for loss in losses:
        by_sort.setdefault(loss.what, {}).setdefault(loss.arm, []).append(loss.after)
        before[loss.what] = loss.before
    notes: list[str] = []
    if "perplexity" in by_sort:
        now = _spans(by_sort["perplexity"], "{:.0f}".format)
        was = f"{before['perplexity']:.0f}"
        notes.append(f"{FELL}: ordinary text has a perplexity of {now}, where it had {was}.")
    if "questions" in by_sort:
        now = _spans(by_sort["questions"], _whole_percent, " %")
        was = _whole_percent(before["questions"])
        notes.append(f"{FELL}: of everyday questions {now} are answered right, where {was} % were.")
    return notes


def _spans(
    values_of_arm: Mapping[str, Sequence[float]], shown: Callable[[float], str], unit: str = ""
) -> str:
    """Each arm's values, from the least to the greatest: "211 (finetuned), 127 to 170 (oracle)"."""
    spans: list[str] = []
    for arm, values in values_of_arm.items():
        low, high = shown(min(values)), shown(max(values))
        span = low if low == high else f"{low} to {high}"
        spans.append(f"{span}{unit} ({arm})")
    return ", ".join(spans)


def _whole_percent(share: float) -> str:
    return str(percent(share))
