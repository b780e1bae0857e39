"""The engine and a few steps of training on SmolLM2 itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from augmlx.augment import anchor_store
from augmlx.core.progress import Silent
from augmlx.core.settings import Settings, TrainSettings
from augmlx.engines.mlx.engine import MlxEngine
from augmlx.engines.protocol import Request
from augmlx.models import loading
from augmlx.models.heads import Head
from augmlx.models.loading import LoadedModel
from augmlx.models.store.pull import pull
from augmlx.training import fit, metrics

import mlx.core as mx  # isort: skip
import mlx_lm  # isort: skip
import numpy as np  # isort: skip

pytestmark = pytest.mark.real

PREFIX = (
    "Each line says a fact and then the same fact the other way round.\n\n"
    "Fact: Lima is the capital of Peru.\nReversed: The capital of Peru is Lima.\n\n"
    "Fact: Ada Brandt founded Norvel Optics in 1987.\nReversed: Norvel Optics was founded by Ada "
    "Brandt in 1987.\n\n"
)
FACTS = (
    "Mara Voss leads the lens laboratory.",
    "The Tern is built in the harbour hall at Ostrel.",
    "Ido Farkas designed the lamp that lights the north bridge.",
    "Norvel's head office is in Venn.",
    "Sunniva Holt is the sister of Per Holt.",
    "The prototype K7 weighs 31 kilograms.",
)


@pytest.fixture(scope="session")
def loaded() -> LoadedModel:
    return loading.load(pull("smollm2-135m"))


def requests() -> list[Request]:
    return [
        Request.greedy(f"{n}", f"Fact: {fact}\nReversed:", prefix=PREFIX, max_tokens=24)
        for n, fact in enumerate(FACTS)
    ]


def test_greedy_batches_write_what_mlx_lm_writes_one_by_one(loaded: LoadedModel) -> None:
    engine = MlxEngine(loaded)
    written = list(engine.generate(requests()))
    for r, ours in zip(requests(), written, strict=True):
        text = mlx_lm.generate(loaded.model, loaded.tokenizer, r.prompt, max_tokens=24)
        # mlx-lm leaves out the first space; here it is kept, since a completion goes on where the
        # prompt ends.
        assert ours.text.removeprefix(" ") == text.split("\n", 1)[0]
        assert ours.finish == ("stop" if "\n" in text else "length")
    assert engine.tokens.prefilled < 0.4 * (engine.tokens.prefilled + engine.tokens.reused)


def test_chat_completions_are_those_of_the_template(loaded: LoadedModel) -> None:
    engine = MlxEngine(loaded)
    assert engine.prompting == "raw"  # as the catalogue says; the model has a template
    asked = [replace(r, chat=True) for r in requests()[:3]]
    for r, ours in zip(asked, engine.generate(asked), strict=True):
        message = [{"role": "user", "content": r.prefix + r.suffix}]
        prompt = loaded.tokenizer.apply_chat_template(message, add_generation_prompt=True)
        assert list(engine.prompt_tokens(r)) == prompt
        assert (
            ours.text
            == mlx_lm.generate(loaded.model, loaded.tokenizer, prompt, max_tokens=24).split(
                "\n", 1
            )[0]
        )


def test_rows_that_take_turns_write_the_same(loaded: LoadedModel) -> None:
    together = list(MlxEngine(loaded).generate(requests()))
    assert list(MlxEngine(loaded, width=2).generate(requests())) == together


def test_a_sampled_row_is_the_same_alone_and_in_a_batch(loaded: LoadedModel) -> None:
    engine = MlxEngine(loaded)
    r = requests()[0]
    sampled = replace(r, temperature=0.8, top_p=0.95, max_tokens=12)
    asked = [replace(sampled, key=f"{n}", seed=f"0:a:{n}") for n in range(6)]
    together = list(engine.generate(asked))
    assert list(engine.generate(asked[2:3])) == together[2:3]
    assert len({completion.text for completion in together}) > 1


def test_scores_are_those_of_a_plain_forward_pass(loaded: LoadedModel) -> None:
    engine = MlxEngine(loaded)
    assert Head(loaded.model).split
    prompts = [
        PREFIX + "The capital of Peru is",
        PREFIX + "The capital of Peru is",
        "Norvel Optics was founded by",
    ]
    continuations = [" Lima", " Ostrel, of all places", " Ada Brandt"]
    for both in (slice(0, 2), slice(0, 3)):
        for prompt, text, ours in zip(
            prompts[both],
            continuations[both],
            engine.score(prompts[both], continuations[both]),
            strict=True,
        ):
            whole, start = engine.encode(prompt + text), engine.count(prompt)
            logits = np.array(loaded.model(mx.array([whole]))[0]).astype(np.float64)
            logprobs = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
            expected = sum(
                logprobs[position - 1, whole[position]] for position in range(start, len(whole))
            )
            assert ours.tokens == len(whole) - start
            assert ours.logprob == pytest.approx(expected, abs=1e-4 * ours.tokens)


def test_a_few_steps_teach_and_the_adapter_loads_in_mlx_lm(tmp_path: Path) -> None:
    stored = pull("smollm2-135m")
    rows = [{"id": f"f{n}/original", "text": fact} for n, fact in enumerate(FACTS)]
    plain = TrainSettings(
        rank=8, epochs=6, batch_size=6, learning_rate=2e-3, warmup=0.0, anchor=0.0
    )
    config = Settings(train=plain)
    counts = fit.fit(fit.prepare(stored, rows, config), tmp_path, progress=Silent(), label="x")
    told = [line["loss"] for line in metrics.read(tmp_path / "metrics.jsonl")]
    assert told[-1] < 0.6 * told[0]
    model, tokenizer = mlx_lm.load(str(stored.path), adapter_path=str(tmp_path / "adapter"))
    tuned = loading.load(stored, tmp_path / "adapter")
    tokens = mx.array([tokenizer.encode(FACTS[0])])
    model.set_dtype(mx.float32)
    assert mx.array_equal(model(tokens), tuned.model(tokens))
    assert counts["steps"] == 6


def test_the_anchors_of_the_embedded_model_are_shipped() -> None:
    name = anchor_store.path_of(pull("smollm2-135m")).name
    assert len(anchor_store._shipped(name)) > 100
