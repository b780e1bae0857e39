"""The arms beside the run's own adapter, trained on a tiny model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from mlx_lm import load
from tiny.line import FACTS, TEXTS, Setup, write

from augmlx.core.arms import CONTROLS
from augmlx.core.errors import BadSettings, RunError
from augmlx.core.files import read_jsonl
from augmlx.engines.protocol import Request
from augmlx.engines.scripted import ScriptedEngine
from augmlx.run import control_arms
from augmlx.run.pipeline import Pipeline


def rephrasing(request: Request) -> str:
    """As `write`, but its rephrasings are good."""
    if "In other words" not in request.suffix:
        return write(request)
    fact = request.suffix.partition("Fact: ")[2].partition("\n")[0]
    _, _, last, back = FACTS[TEXTS.index(fact)]
    return f" is the one who {fact.split(maxsplit=2)[2]}" if back else f" leads the {last}."


@pytest.fixture
def augmented(setup: Setup) -> Setup:
    setup.writer = rephrasing
    pipeline = setup.open(**{"split.test": 0.0})
    pipeline.augment()
    pipeline.train()
    return setup


def oracle(setup: Setup, tmp_path: Path) -> Path:
    path = tmp_path / "oracle.csv"
    path.write_text(
        "fact\n"
        + "".join(f"The {last} {back} {first}.\n" for first, _, last, back in FACTS if back)
    )
    return path


def test_every_arm_is_trained_on_what_its_name_says(augmented: Setup, tmp_path: Path) -> None:
    arms = ["base", "icl", "icl-augmented", "finetuned", "rephrased", "augmented", "oracle"]
    pipeline = augmented.open(**{"split.test": 0.0, "eval.arms": arms})
    pipeline.take_oracle(oracle(augmented, tmp_path))
    summary = pipeline.evaluate()
    assert list(summary.arms) == arms
    facts = pipeline.facts()
    texts = {
        arm.name: [row["text"] for row in control_arms.rows(arm.name, pipeline.run, facts, "text")]
        for arm in CONTROLS
    }
    assert texts["finetuned"] == TEXTS
    assert texts["oracle"][len(TEXTS) :] == [
        f"The {last} {back} {first}." for first, _, last, back in FACTS if back
    ]
    kept = {e.text: e.origin.operator for e in control_arms.trained_on(pipeline.run)}
    assert len(texts["rephrased"]) > len(TEXTS)
    assert {kept[text] for text in texts["rephrased"][len(TEXTS) :]} == {"rephrase"}
    steps = {arm: about.steps for arm, about in summary.trained.items()}
    assert set(steps) == {"finetuned", "rephrased", "augmented", "oracle"}
    assert max(steps.values()) - min(steps.values()) <= 2  # whole epochs of as many steps
    weights = {
        (augmented.run / stage / "adapter/adapters.safetensors").read_bytes()
        for stage in ("", "baseline", "rephrased", "oracle")
    }
    assert len(weights) == 4
    load(str(augmented.base.path), adapter_path=str(augmented.run / "oracle" / "adapter"))


def test_a_control_without_anything_of_its_own_is_refused(setup: Setup) -> None:
    pipeline = setup.open(**{"split.test": 0.0})  # its writer's rephrasings are all rejected
    pipeline.augment()
    pipeline.train()
    for arm, told in (("rephrased", "rephrasings"), ("oracle", "consequences known to be true")):
        asked = setup.open(**{"split.test": 0.0, "eval.arms": ["finetuned", arm, "augmented"]})
        with pytest.raises(RunError, match=told):
            asked.evaluate()
        assert "baseline" not in setup.run.manifest()


def test_the_context_of_icl_augmented_holds_the_augmentations(augmented: Setup) -> None:
    shown: list[str] = []

    def watched(request: Request) -> str:
        shown.append(request.prefix)
        return rephrasing(request)

    settings = augmented.open(**{"split.test": 0.0, "eval.arms": ["icl", "icl-augmented"]}).settings
    Pipeline(
        augmented.run, settings, augmented.progress, make_engine=lambda _: ScriptedEngine(watched)
    ).evaluate()
    plain, more = sorted(set(shown), key=len)
    assert plain.splitlines() == TEXTS
    assert set(more.splitlines()) == {
        *TEXTS,
        *(example.text for example in control_arms.trained_on(augmented.run)),
    }


def test_another_adapter_of_the_model_is_an_arm(augmented: Setup, tmp_path: Path) -> None:
    place = str(augmented.run.adapter)
    summary = augmented.open(
        **{"split.test": 0.0, "eval.adapters": {"mine": place}, "eval.arms": ["base"]}
    ).evaluate()
    assert list(summary.arms) == ["base", "mine"]
    assert {row["arm"] for row in read_jsonl(augmented.run.eval / "results.jsonl")} == {
        "base",
        "mine",
    }


@pytest.mark.parametrize("kind", ["missing", "other"])
def test_an_adapter_that_does_not_fit_is_refused_before_any_work(
    augmented: Setup, tmp_path: Path, kind: str
) -> None:
    folder = tmp_path / "adapter"
    if kind == "other":
        folder.mkdir()
        (folder / "adapters.safetensors").touch()
        told = {"fine_tune_type": "lora", "augmlx": {"base": "another"}}
        (folder / "adapter_config.json").write_text(json.dumps(told))
    asked = augmented.open(**{"split.test": 0.0, "eval.adapters": {"mine": str(folder)}})
    with pytest.raises(BadSettings, match=r"eval\.adapters: mine"):
        asked.evaluate()
    assert "baseline" not in augmented.run.manifest()
    assert "eval" not in augmented.run.manifest()


def test_an_arm_name_is_not_taken_twice(setup: Setup) -> None:
    with pytest.raises(BadSettings, match="icl is an arm already"):
        setup.open(**{"eval.adapters": {"icl": "somewhere"}})


def test_another_oracle_trains_that_arm_again(augmented: Setup, tmp_path: Path) -> None:
    pipeline = augmented.open(**{"split.test": 0.0, "eval.arms": ["oracle", "augmented"]})
    path = oracle(augmented, tmp_path)
    pipeline.take_oracle(path)
    pipeline.evaluate()
    before = (augmented.run / "oracle/adapter/adapters.safetensors").read_bytes()
    path.write_text("fact\nThe Bor mill is in the care of Ada Brandt.\n")
    pipeline.take_oracle(path)
    pipeline.evaluate()
    assert (augmented.run / "oracle/adapter/adapters.safetensors").read_bytes() != before
