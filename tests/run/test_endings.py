"""Jobs end as they should: what can be refused is refused first, what makes sense is finished, and
what has come apart says so.
"""

from __future__ import annotations

import json

import pytest
from tiny import trusted, write_model
from tiny.line import FACTS, Setup

from augmlx.core.errors import AugmlxError, BadInput
from augmlx.core.records import Json
from augmlx.run.everything import run_all

CHATML = (
    "{% for m in messages %}{% if m['role'] == 'system' %}{{ raise_exception('no system') }}"
    "{% endif %}{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('must alternate') }}"
    "{% endif %}<{{ m['role'] }}>{{ m['content'] }}</s>{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)


def change_tokenizer(setup: Setup, **changes: object) -> None:
    """Give the run a model of its own, with another tokenizer."""
    folder = setup.run.path.parent / "own-model"
    setup.base = trusted(write_model(folder))
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def rows(setup: Setup, *each: Json) -> None:
    setup.facts = setup.facts.with_suffix(".jsonl")
    setup.facts.write_text("".join(json.dumps(row) + "\n" for row in each))


def messages(*turns: tuple[str, str]) -> Json:
    return {"messages": [{"role": role, "content": content} for role, content in turns]}


def test_one_fact_is_trained_on_exported_and_reported(setup: Setup) -> None:
    setup.facts.write_text(f"fact\n{' '.join(FACTS[0][:3])}.\n")
    pipeline = setup.open(**{"eval.arms": ["base", "augmented"]})
    outcome = run_all(pipeline)
    assert outcome.summary is None
    assert any("eval: skipped" in said for said in setup.progress.said)
    assert (outcome.adapter / "adapters.safetensors").exists()
    assert outcome.report.exists()


def test_arms_that_do_not_differ_are_not_compared(setup: Setup) -> None:
    setup.writer = lambda _request: " someone else entirely"
    arms = ["base", "finetuned", "rephrased", "augmented"]
    pipeline = setup.open(**{"eval.ability": False, "eval.arms": arms})
    outcome = run_all(pipeline)
    assert outcome.counts["kept"] == 0
    assert outcome.summary is not None
    assert set(outcome.summary.arms) == {"base", "augmented"}
    assert "finetuned is not compared" in " ".join(outcome.summary.notes)
    assert not (setup.run / "baseline").exists()
    said = " ".join(setup.progress.said)
    assert "nothing was kept of" in said
    assert "rephrased is not compared" in said


def test_a_training_that_comes_apart_fails_and_says_what_to_try(setup: Setup) -> None:
    changes = {"train.learning_rate": 500.0, "train.epochs": 12, "train.checkpoint_every": 1}
    pipeline = setup.open(**{**changes, "train.clip": 0.0, "train.batch_size": 2})
    pipeline.augment()
    with pytest.raises(AugmlxError) as caught:
        pipeline.train()
    assert "it has diverged; the weights before are in" in caught.value.message
    assert "try 50 (it was 500)" in (caught.value.hint or "")
    assert list((setup.run.path / "checkpoints").glob("step-*"))
    assert "train" not in setup.run.manifest()


def refused(setup: Setup) -> BadInput:
    pipeline = setup.open()
    with pytest.raises(BadInput) as caught:
        pipeline.augment()
    assert setup.generated == 0
    return caught.value


def test_turns_that_a_template_does_not_take_are_refused_first_and_all_at_once(
    setup: Setup,
) -> None:
    change_tokenizer(setup, chat_template=CHATML)
    good = messages(("user", "Who?"), ("assistant", "Ada left."))
    bad = messages(("user", "Who?"), ("assistant", "Ada left."), ("assistant", "Bo left."))
    rows(
        setup,
        good,
        bad,
        {**good, "id": "x", "messages": [*good["messages"], *bad["messages"]]},
        bad,
    )
    error = refused(setup)
    name = setup.facts.name
    assert error.message.startswith(f"{name}:2: the model's chat template refuses it")
    assert f"\n{name}:3: " in error.message
    assert "Bo left" not in error.render()


def test_chats_without_a_template_are_refused_first(setup: Setup) -> None:
    change_tokenizer(setup)
    rows(setup, messages(("user", "Who?"), ("assistant", "Ada left.")))
    error = refused(setup)
    assert error.message == f"{setup.facts.name}:1: a chat, and the model has no chat template"


def test_a_row_that_is_too_long_is_refused_with_its_line(setup: Setup) -> None:
    setup.facts.write_text(f"fact\n{TEXT}\n{'Ada left. ' * 200}\n")
    error = refused(setup)
    assert error.message.startswith(f"{setup.facts.name}:3: ")
    assert "train.max_length" in error.render()


TEXT = " ".join(FACTS[0][:3]) + "."


def test_a_system_without_a_place_is_put_before_the_users_message_and_told(setup: Setup) -> None:
    change_tokenizer(setup, chat_template=CHATML)
    setup.writer = lambda _request: " someone."
    rows(
        setup, messages(("system", "Be brief."), ("user", "Who left?"), ("assistant", "Ada left."))
    )
    pipeline = setup.open()
    pipeline.augment()
    assert any("1 row has a message of the system" in said for said in setup.progress.said)
    pipeline.train()


def test_a_tokenizer_without_an_end_is_told_of_first(setup: Setup) -> None:
    change_tokenizer(setup, eos_token=None)
    config = setup.base.path / "config.json"
    kept = json.loads(config.read_text())
    del kept["eos_token_id"]
    config.write_text(json.dumps(kept))
    setup.open().augment()
    assert any("no token that ends a text" in said for said in setup.progress.said)
