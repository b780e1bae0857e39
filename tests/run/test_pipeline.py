"""The straight line over one run folder, with a tiny real model to train and a scripted writer."""

from __future__ import annotations

import csv
import dataclasses
import json
import re
import stat
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import mlx.core as mx
import mlx_lm
import pytest
from mlx.utils import tree_flatten
from mlx_lm.tuner.datasets import load_local_dataset
from tiny.line import FACTS, TEXTS, Recorder, Setup, contents, everything, write

from augmlx.augment import operators
from augmlx.augment.filters import FILTERS
from augmlx.augment.stage import Writer
from augmlx.core.errors import AugmlxError, BadInput, BadSettings, ModelError, RunError
from augmlx.core.files import read_jsonl, write_jsonl
from augmlx.core.records import Example, Fact, Json, Origin
from augmlx.core.run_folder import RunFolder
from augmlx.core.settings import Settings, SplitSettings
from augmlx.core.settings_file import load
from augmlx.data.facts import read_facts
from augmlx.data.split import deal
from augmlx.engines.protocol import Completion, Request
from augmlx.engines.scripted import ScriptedEngine
from augmlx.models.store.folder import StoredModel
from augmlx.run import pipeline as pipeline_module
from augmlx.run import stages, training
from augmlx.run.pipeline import Pipeline


def test_nothing_disappears_between_requests_and_training_data(setup: Setup) -> None:
    pipeline = setup.open()
    counts = pipeline.augment()
    lines = {
        name: (setup.run / f"{name}.jsonl").read_text().splitlines()
        for name in ("augmented", "rejected")
    }
    told = counts["kept"] + counts["rejected"] + counts["failed"]
    assert 6 * 2 < counts["produced"] == told < 6 * (8 + 4)  # some leads were settled at once
    assert counts["premises"]["reversal"] == {"without": 0, "capped": 0}
    assert len(lines["augmented"]) == counts["kept"]
    assert len(lines["rejected"]) == counts["rejected"] + counts["failed"]
    assert {json.loads(line)["text"] for line in lines["augmented"]} >= {
        "The Bor mill is owned by Ada Brandt.",
        "The head of the Quay desk is Ola Pine.",
    }
    assert {json.loads(line)["by"] for line in lines["rejected"]} >= {"entity"}
    dealt = setup.run.manifest()["split"]["counts"]
    assert dealt["train"] + dealt["valid"] + dealt["test"] == 6 + counts["kept"]


def test_the_whole_line_leaves_files_that_others_read(setup: Setup) -> None:
    everything(setup.open())
    model, tokenizer = mlx_lm.load(str(setup.base.path), adapter_path=str(setup.run.adapter))
    tuned = {
        name: value for name, value in tree_flatten(model.parameters()) if name.endswith("lora_b")
    }
    assert len(tuned) == 2 * 7
    assert all(
        bool(value.any()) for value in tuned.values()
    )  # B starts at zero: these were trained
    train, valid, test = load_local_dataset(
        setup.run.data, tokenizer, SimpleNamespace(mask_prompt=False)
    )
    dealt = setup.run.manifest()["split"]["counts"]
    assert [len(part) for part in (train, valid, test)] == [
        dealt["train"],
        dealt["valid"],
        dealt["test"],
    ]
    assert train[0]["text"] == TEXTS[0]
    summary = json.loads((setup.run.eval / "summary.json").read_text())
    assert list(summary["arms"]) == ["base", "icl", "finetuned", "augmented"]
    for kinds in summary["arms"].values():
        for cell in kinds.values():
            assert {"n", "accuracy", "low", "high"} <= set(cell)
            assert 0 <= cell["low"] <= cell["accuracy"] <= cell["high"] <= 1
    assert summary["derived"] is True
    assert "held out" in summary["notes"][0]
    assert "never trained on" in summary["notes"][1]
    assert (setup.run / "export/peft/adapter_config.json").exists()
    assert setup.run.report.exists()


def test_the_run_folder_is_private(setup: Setup) -> None:
    everything(setup.open())
    for path in [setup.run.path, *setup.run.path.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_messages_and_exports_hold_no_row_text_and_no_path(setup: Setup, tmp_path: Path) -> None:
    everything(setup.open())
    names = [word for first, _, last, _ in FACTS for word in (first, last)]
    said = "\n".join([*setup.progress.said, *(label for label, _, _ in setup.progress.tasks)])
    assert not [name for name in names if name in said]
    for folder in (setup.run / "export", setup.run.adapter):
        for name, data in contents(folder).items():
            assert str(tmp_path).encode() not in data, name
            assert not [word for word in names if word.encode() in data], name


def test_running_again_does_nothing_and_says_so(setup: Setup) -> None:
    everything(setup.open())
    before = contents(setup.run.path)
    written = setup.generated
    everything(setup.open())
    assert setup.generated == written
    assert contents(setup.run.path) == before
    assert [text for text in setup.progress.said if text.endswith("up to date")] == [
        f"{stage}: up to date"
        for stage in ("augment", "split", "train", "baseline", "eval", "export")
    ]


def test_a_changed_setting_redoes_its_stage_and_what_follows(setup: Setup) -> None:
    everything(setup.open())
    written = setup.generated
    pipeline = setup.open(**{"train.epochs": 3})
    pipeline.augment()
    pipeline.train()
    assert setup.generated == written  # augment is untouched
    assert "augment: up to date" in setup.progress.said
    assert any(
        t.startswith("train: its inputs or settings changed") and "eval" in t
        for t in setup.progress.said
    )
    assert "eval" not in setup.run.manifest()
    assert "export" not in setup.run.manifest()


def test_limits_of_memory_redo_nothing(setup: Setup) -> None:
    everything(setup.open())
    before = setup.run.manifest()
    everything(setup.open(**{"memory.cache": 0.5}))
    assert setup.run.manifest() == before


def test_the_manifest_tells_the_peak_memory_of_stages_that_mlx_computed(setup: Setup) -> None:
    held = mx.get_active_memory()  # by what other tests have loaded in this process
    everything(setup.open())
    weights = sum(path.stat().st_size for path in setup.base.path.glob("*.safetensors"))
    peaks = {stage: entry.get("peak_memory") for stage, entry in setup.run.manifest().items()}
    assert weights < peaks["train"] < held + 100 * weights
    assert weights < peaks["baseline"] < held + 100 * weights
    assert peaks["split"] is None
    assert peaks["augment"] is None  # a scripted engine wrote


def test_a_changed_filter_setting_judges_again_without_generating(setup: Setup) -> None:
    setup.open().augment()
    written = setup.generated
    kept = len(setup.run.augmented.read_text().splitlines())
    setup.open(**{"augment.keep": 1, "augment.vote_share": 0.9}).augment()
    assert setup.generated == written
    assert len(setup.run.augmented.read_text().splitlines()) <= kept


def test_a_new_fact_generates_for_itself_alone(setup: Setup) -> None:
    setup.open().augment()
    written = setup.generated
    setup.facts.write_text("fact\n" + "\n".join(TEXTS[:5]) + "\n")
    setup.open().augment()
    assert setup.generated == written  # all of these are in the journal
    setup.facts.write_text("fact\n" + "\n".join(TEXTS) + "\n")
    setup.open().augment()
    assert setup.generated == written


def test_two_runs_give_the_same_bytes(tmp_path: Path, base: StoredModel, facts: Path) -> None:
    runs = [Setup(tmp_path / name, base, facts) for name in ("one", "two")]
    for made in runs:
        pipeline = made.open()
        pipeline.augment()
        pipeline.train()
    left, right = (
        contents(made.run.path, without=("manifest.json", "metrics.jsonl")) for made in runs
    )
    left.pop("journal.sqlite"), right.pop("journal.sqlite")
    assert left == right


def test_an_interrupted_evaluation_keeps_the_arms_it_finished(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = setup.open()
    pipeline.augment()
    pipeline.train()
    whole = setup._engine

    def stop_at_the_third(adapter: Path | None) -> ScriptedEngine:
        if len(setup.engines) == 3:  # augment's, base's, icl's
            raise KeyboardInterrupt
        return whole(adapter)

    monkeypatch.setattr(pipeline, "make_engine", stop_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        pipeline.evaluate()
    assert "eval" not in setup.run.manifest()
    setup.open().evaluate()
    labels = [label for label, _, _ in setup.progress.tasks if label.startswith("Evaluating")]
    assert labels == ["Evaluating finetuned", "Evaluating augmented"]
    summary = json.loads((setup.run.eval / "summary.json").read_text())
    assert list(summary["arms"]) == ["base", "icl", "finetuned", "augmented"]


def test_a_kill_before_a_training_is_on_record_costs_no_step(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    setup.open().augment()

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(RunFolder, "record", killed)
        with pytest.raises(KeyboardInterrupt):
            setup.open().train()
    assert "train" not in setup.run.manifest()
    counts = setup.open().train()
    [(total, done)] = [
        (total, done) for label, total, done in setup.progress.tasks if label == "Training"
    ]
    assert total == done == counts["steps"]
    assert not (setup.run / "checkpoints").exists()


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ('{"text": "Ada owns the mill."}', "2: no id"),
        ('{"id": 7, "text": "Ada owns the mill."}', "2: no id"),
        ('{"id": "x", "text": "\\ud800"}', "2: an escape is half of a surrogate pair"),
        ('{"id": "x", "text": null}', "example x: its text is none"),
    ],
)
def test_training_data_that_was_edited_wrongly_is_refused_with_its_place(
    setup: Setup, row: str, fault: str
) -> None:
    pipeline = setup.open()
    pipeline.augment()
    path = setup.run.data / "train.jsonl"
    first, *rest = path.read_text().splitlines()
    path.write_text("\n".join([first, row, *rest]) + "\n")
    with pytest.raises(BadInput, match=fault) as caught:
        pipeline.train()
    assert caught.value.hint


def test_the_plain_arm_takes_as_many_steps_as_the_augmented(setup: Setup) -> None:
    pipeline = setup.open(**{"train.epochs": 6, "train.batch_size": 4})
    pipeline.augment()
    pipeline.train()
    pipeline.evaluate()
    manifest = setup.run.manifest()
    augmented, plain = (manifest[stage]["counts"] for stage in ("train", "baseline"))
    assert plain["augmentations"] == 0
    assert augmented["augmentations"] > 0
    assert abs(plain["steps"] - augmented["steps"]) <= 2  # an epoch of the plain arm is 2 steps


def test_questions_of_the_user_are_asked_and_hold_nothing_out(setup: Setup, tmp_path: Path) -> None:
    questions = tmp_path / "q.csv"
    questions.write_text(
        "prompt,answer,kind\n"
        + "".join(f"The {last} belongs to,{first},back\n" for first, _, last, _ in FACTS)
    )
    pipeline = setup.open()
    pipeline.take_questions(questions)
    pipeline.augment()
    pipeline.train()
    summary = pipeline.evaluate()
    assert summary.derived is False
    assert summary.arms["base"]["back"].n == 6
    assert not (setup.run.data / "test.jsonl").exists()


def test_a_stage_without_its_input_names_the_command(setup: Setup) -> None:
    pipeline = setup.open()
    for stage in (pipeline.train, pipeline.evaluate, pipeline.export):
        with pytest.raises(RunError, match="not finished") as caught:
            stage()
        assert "augmlx" in str(caught.value.hint)


def test_facts_that_no_question_can_be_made_of_ask_for_questions(setup: Setup) -> None:
    setup.facts.write_text("fact\nglons\nfemps\n")
    engine = ScriptedEngine(lambda _: "nothing")
    pipeline = Pipeline(
        setup.run, setup.open().settings, setup.progress, make_engine=lambda _: engine
    )
    pipeline.augment()
    pipeline.train()
    with pytest.raises(BadInput, match="no questions can be derived"):
        pipeline.evaluate()


def test_a_fact_too_long_to_train_on_is_refused_before_anything_is_generated(setup: Setup) -> None:
    setup.facts.write_text(
        "fact\n" + "\n".join([*TEXTS, "Zed owns " + "very " * 20 + "old mills."]) + "\n"
    )
    with pytest.raises(
        BadInput, match=r"facts\.csv:8: \d+ tokens, more than train\.max_length = 20"
    ):
        setup.open(**{"train.max_length": 20}).augment()
    assert setup.generated == 0


def test_a_training_row_too_long_to_train_on_is_refused_before_anything_is_generated(
    setup: Setup,
) -> None:
    setup.facts = setup.facts.with_suffix(".jsonl")
    setup.facts.write_text(json.dumps({"prompt": "Who? " * 600, "completion": TEXTS[0]}) + "\n")
    with pytest.raises(BadInput, match=r"facts\.jsonl:1: .* more than train\.max_length"):
        setup.open().augment()
    assert setup.generated == 0


def test_a_plain_fact_that_training_will_split_is_not_refused(setup: Setup) -> None:
    long = "Zed owns the mill. " * 20
    setup.facts.write_text("fact\n" + "\n".join([*TEXTS, long]) + "\n")
    engine = ScriptedEngine(
        lambda request: "nothing" if "Zed" in request.suffix else write(request)
    )

    def open_with(form: str) -> Pipeline:
        changes = {"train.max_length": 40, "train.too_long": "split", "split.form": form}
        settings = setup.open(**changes).settings
        return Pipeline(setup.run, settings, setup.progress, make_engine=lambda _: engine)

    for form in ("completions",):  # where it would be an answer
        with pytest.raises(
            BadInput, match=r"facts\.csv:8: \d+ tokens, more than train\.max_length = 40"
        ):
            open_with(form).augment()
    open_with("text").augment()
    assert long.strip() in [row["text"] for row in read_jsonl(setup.run.data / "train.jsonl")]


def test_a_training_row_cannot_be_split(setup: Setup) -> None:
    setup.facts = setup.facts.with_suffix(".jsonl")
    setup.facts.write_text(json.dumps({"prompt": "Who? " * 600, "completion": TEXTS[0]}) + "\n")
    with pytest.raises(BadInput, match=r"facts\.jsonl:1: .* more than train\.max_length"):
        setup.open(**{"train.too_long": "split"}).augment()
    assert setup.generated == 0


def test_a_long_augmentation_is_refused_by_its_id_and_nothing_is_lost(setup: Setup) -> None:
    setup.open().augment()
    row = {"id": "f0001/reversal/0", "text": "mill " * 400}
    write_jsonl(setup.run.data / "train.jsonl", [*read_jsonl(setup.run.data / "train.jsonl"), row])
    with pytest.raises(AugmlxError, match=r"example f0001/reversal/0: \d+ tokens"):
        setup.open().train()
    assert setup.run.augmented.exists()


def test_a_user_operator_beside_the_settings_goes_through_the_whole_line(
    setup: Setup, tmp_path: Path
) -> None:
    (tmp_path / "echo.toml").write_text(
        'name = "echo"\narity = "one"\ninstruction = "Say it with a bow."\nfilters = ["entity"]\n'
        '[[exemplars]]\nfact = "A sings."\nresult = "Sir, A sings."\n'
    )
    settings = load(
        None, {"model": str(setup.base.path), "augment.operators": ["echo"], "train.epochs": 1}
    )

    def bow(request: Request) -> str:
        return f" In truth, {request.suffix.partition('Fact: ')[2].partition(chr(10))[0]}"

    pipeline = Pipeline(
        setup.run,
        settings,
        Recorder(),
        operators_folder=tmp_path,
        make_engine=lambda _: ScriptedEngine(bow),
    )
    pipeline.take_facts(read_facts(setup.facts).facts)
    assert pipeline.augment()["by_operator"]["echo"]["kept"] == 12
    assert pipeline.train()["augmentations"] > 0


def test_settings_as_used_are_written_into_the_run(setup: Setup) -> None:
    pipeline = setup.open(**{"train.rank": 5})
    pipeline.augment()
    used = pipeline.settings
    assert (
        load(setup.run.settings) == used == Settings.model_validate(used.model_dump(), strict=False)
    )


def finished(setup: Setup) -> dict[str, Json]:
    everything(setup.open())
    return setup.run.manifest()


@pytest.mark.parametrize(
    "changed", [{"train.rank": 7}, {"split.test": 0.5}, {"augment.samples": 3}, {"seed": 1}]
)
def test_arms_of_other_settings_are_never_compared(
    setup: Setup, changed: dict[str, object]
) -> None:
    before = finished(setup)
    for stage in ("evaluate", "export"):
        with pytest.raises(RunError, match="other facts, settings or model") as caught:
            getattr(setup.open(**changed), stage)()
        assert "augmlx train" in str(caught.value.hint)
    assert setup.run.manifest() == before
    assert load(setup.run.settings).train.rank == 2  # what was refused is not kept


def test_what_was_trained_before_an_update_is_still_exported_and_trained_anew_where_asked(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = finished(setup)
    newer = dataclasses.replace(stages.TRAIN, code=stages.TRAIN.code + 1)
    for module in (pipeline_module, training):
        monkeypatch.setattr(module, "TRAIN", newer)
    assert setup.open().export(hf_base="someone/tiny").exists()
    assert setup.run.manifest()["train"] == before["train"]
    setup.open().train()
    assert setup.run.manifest()["train"] != before["train"]
    assert "export" not in setup.run.manifest()


def test_an_adapter_is_never_asked_about_other_facts(setup: Setup) -> None:
    finished(setup)
    setup.facts.write_text(f"fact\n{TEXTS[0]}\nXav founded the Wye shop.\n")
    pipeline = setup.open(**{"augment.operators": ["mirror"]})
    with pytest.raises(BadInput, match="mirror"):
        pipeline.augment()
    with pytest.raises(RunError, match="other facts"):
        setup.open().evaluate()


def test_a_refused_setting_costs_no_finished_stage(setup: Setup) -> None:
    before = finished(setup)
    wired = {"memory.wired": 5.0, "train.rank": 3}  # MLX's CPU backend cannot wire memory
    for changed in ({"train.layers": 99}, {"train.targets": ["nothing_proj"]}, wired):
        with pytest.raises(BadSettings):
            setup.open(**changed).train()
    assert setup.run.manifest() == before
    setup.open().train()
    assert "train: up to date" in setup.progress.said


def test_how_often_a_checkpoint_is_written_changes_nothing(setup: Setup) -> None:
    finished(setup)
    setup.open(**{"train.checkpoint_every": 3}).train()
    assert "train: up to date" in setup.progress.said


def test_a_run_in_which_nothing_could_be_generated_is_an_error(setup: Setup) -> None:
    def too_long(request: Request) -> Completion:
        return Completion(request.key, "500 tokens do not fit the model's 256", "error", 0)

    settings = setup.open().settings
    pipeline = Pipeline(
        setup.run, settings, Recorder(), make_engine=lambda _: ScriptedEngine(too_long)
    )
    with pytest.raises(ModelError, match="500 tokens do not fit"):
        pipeline.augment()
    assert setup.run.manifest() == {}


def test_a_question_without_a_choice_is_refused_where_the_user_wrote_it(
    setup: Setup, tmp_path: Path
) -> None:
    questions = tmp_path / "q.csv"
    questions.write_text("prompt,answer,kind\nThe Bor mill belongs to,Ada Brandt,alone\n")
    with pytest.raises(BadInput, match=r"q\.csv:2"):
        setup.open().take_questions(questions)
    assert not setup.run.questions.exists()


def test_questions_that_come_late_say_what_was_held_out(setup: Setup, tmp_path: Path) -> None:
    questions = tmp_path / "q.csv"
    questions.write_text(
        "prompt,answer,kind\n"
        + "".join(f"The {last} belongs to,{first},back\n" for first, _, last, _ in FACTS)
    )
    pipeline = setup.open()
    pipeline.augment()
    pipeline.train()
    pipeline.take_questions(questions)
    assert "held out of training" in pipeline.evaluate().notes[0]


def test_files_of_the_user_are_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "augmlx.toml").write_text("# mine\n")
    with pytest.raises(RunError, match=r"holds augmlx\.toml, which a run would overwrite"):
        RunFolder(tmp_path).create()
    run = RunFolder(tmp_path / "run")
    run.create()
    with run.lock():
        run.facts.write_text("{}")
    with pytest.raises(RunError, match="a file of the run itself"):
        run.create(run.facts, None)
    run.create(tmp_path / "facts.csv", None)


# Operators of the user's own, and all of the shipped ones

LINK = """
name = "link"
about = "two facts told as one"
arity = "pair"
instruction = "Tell both facts in one sentence."
output_label = "Both"
prefill = "conclusion"
filters = ["form", "bridge", "duplicate"]
output = "It is known that {{ result }}"
[[exemplars]]
facts = ["A owns B.", "B stands in C."]
result = "A owns B, which stands in C."
"""
BOW = """
name = "bow"
arity = "one"
instruction = "Say it with a bow."
filters = ["form", "entity"]
[[exemplars]]
fact = "A sings."
result = "Sir, A sings."
"""
PLACES = [
    "The Bor mill stands in Ulm.",
    "The Elm shop stands in Orr.",
    "The Hill gate stands in Venn.",
]


def test_operators_of_the_user_go_through_the_whole_line(setup: Setup, tmp_path: Path) -> None:
    own = tmp_path / "settings"
    own.mkdir()
    (own / "link.toml").write_text(LINK)
    (own / "bow.toml").write_text(BOW)
    (own / "exemplars.csv").write_text(
        "fact,operator,result\nBo owns the Yam mill.,bow,Sir and Bo owns the Yam mill.\n"
    )
    setup.facts.write_text("fact\n" + "\n".join([*TEXTS, *PLACES]) + "\n")
    prompts = []

    def write(request: Request) -> str:
        asked = re.findall(r"^Fact: (.*)$", request.suffix, re.MULTILINE)
        prompts.append(request.prompt)
        if ":link:" in request.seed:
            first, second = asked
            return (
                f"{first.removeprefix(request.opening).rstrip('.')}, which stands "
                f"{second.partition('stands ')[2]}"
            )
        return f" In truth {asked[0]}" if asked else " someone."

    settings = load(
        None,
        {
            "model": str(setup.base.path),
            "augment.operators": ["link", "bow"],
            "train.epochs": 2,
            "augment.samples": 2,
        },
    )
    pipeline = Pipeline(
        setup.run,
        settings,
        Recorder(),
        operators_folder=own,
        make_engine=lambda _: ScriptedEngine(write),
    )
    pipeline.take_facts(read_facts(setup.facts).facts)
    counts = pipeline.augment()
    assert counts["by_operator"]["bow"]["kept"] == 18
    assert counts["by_operator"]["link"]["kept"] == 3
    assert (
        counts["produced"] == 18 + 3 * 2 == counts["kept"] + counts["rejected"] + counts["failed"]
    )
    kept = {row["id"]: row for row in read_jsonl(setup.run.augmented)}
    link = kept["f0001+f0007/link/0"]
    assert link["text"] == "It is known that Ada Brandt owns the Bor mill, which stands in Ulm."
    assert link["origin"]["fact_ids"] == ["f0001", "f0007"]
    assert sum("Sir and Bo owns the Yam mill." in prompt for prompt in prompts) == 18
    assert pipeline.train()["augmentations"] > 0
    assert set(pipeline.evaluate().arms) == {"base", "icl", "finetuned", "augmented"}
    assert (
        pipeline.export(hf_base="someone/tiny") / "adapter_model.safetensors"
    ).stat().st_size > 0
    assert pipeline.report().exists()
    again = Pipeline(
        setup.run, settings, Recorder(), operators_folder=own, make_engine=pipeline.make_engine
    )
    again.augment()
    assert "augment: up to date" in again.progress.said  # type: ignore[attr-defined]
    (own / "bow.toml").write_text(BOW.replace('"entity"]', '"entity", "duplicate"]'))
    Pipeline(
        setup.run, settings, Recorder(), operators_folder=own, make_engine=pipeline.make_engine
    ).augment()
    assert setup.run.manifest()["augment"]["counts"]["by_operator"]["bow"]["kept"] == 9


def every(setup: Setup, write: Callable[[Request], str], **changes: object) -> Json:
    names = [item.operator.name for item in operators.available(FILTERS)]
    given = {
        "model": str(setup.base.path),
        "augment.operators": names,
        "augment.samples": 2,
        **changes,
    }
    pipeline = Pipeline(
        setup.run, load(None, given), setup.progress, make_engine=lambda _: ScriptedEngine(write)
    )
    pipeline.take_facts(read_facts(setup.facts).facts)
    return pipeline.augment()


KINDS = [
    "All ravens are birds.",
    "All birds are animals.",
    "Corvo is a raven.",
    "Lake Orrin is larger than Lake Pell.",
    "Lake Pell is larger than Lake Ruun.",
    "The members of the choir are Ruth and Anton.",
    "The members of the band are Anton and Nils.",
]


def test_every_operator_and_a_contradiction_add_up(setup: Setup) -> None:
    setup.facts.write_text("fact\n" + "\n".join([*TEXTS, *PLACES, *KINDS]) + "\n")
    said = [
        "is a bird.",
        "is larger than Lake Orrin.",
        "",
        "are animals.",
        "is a member of the choir.",
        "is owned by Ada Brandt.",
    ]
    counts = every(setup, lambda r: f" {said[sum(map(ord, r.key)) % len(said)]}")
    lines = {
        name: list(read_jsonl(setup.run / f"{name}.jsonl")) for name in ("augmented", "rejected")
    }
    assert counts["produced"] == counts["kept"] + counts["rejected"] + counts["failed"]
    assert counts["kept"] == len(lines["augmented"]) > 0
    assert counts["rejected"] + counts["failed"] == len(lines["rejected"])
    ids = [row["id"] for rows in lines.values() for row in rows]
    assert len(set(ids)) == len(ids) == counts["produced"]
    for operator, found in counts["by_operator"].items():
        assert sum(found.values()) == len([i for i in ids if f"/{operator}/" in i])
    assert sum(counts["by"].values()) == counts["rejected"] + counts["failed"]
    with (setup.run / "augmented.csv").open(encoding="utf-8", newline="") as file:
        assert [row["id"] for row in csv.DictReader(file)][16:] == [
            row["id"] for row in lines["augmented"]
        ]
    dealt = setup.run.manifest()["split"]["counts"]
    assert (
        dealt["train"] + dealt["valid"] + dealt["test"] + dealt["left out"] == 16 + counts["kept"]
    )


FREE = """
name = "free"
arity = "one"
instruction = "Say more."
filters = ["form"]
[[exemplars]]
fact = "A is larger than B."
result = "B is smaller than A."
"""


def test_what_denies_a_fact_is_taken_back_and_counted_as_rejected(
    setup: Setup, tmp_path: Path
) -> None:
    (tmp_path / "free.toml").write_text(FREE)
    setup.facts.write_text("fact\n" + "\n".join(KINDS) + "\nLake Pell is larger than Lake Orrin.\n")
    given = {
        "model": str(setup.base.path),
        "augment.operators": ["free"],
        "augment.samples": 2,
        "augment.keep": 9,
    }
    texts = (" Lake Ruun is larger than Lake Pell.", " Lake Ruun is calm.")
    pipeline = Pipeline(
        setup.run,
        load(None, given),
        setup.progress,
        operators_folder=tmp_path,
        make_engine=lambda _: ScriptedEngine(lambda r: texts[int(r.seed[-1])]),
    )
    pipeline.take_facts(read_facts(setup.facts).facts)
    counts = pipeline.augment()
    assert (counts["produced"], counts["kept"], counts["rejected"]) == (16, 8, 8)
    assert counts["by"] == {"contradiction": 8}
    assert {row["text"] for row in read_jsonl(setup.run.augmented)} == {"Lake Ruun is calm."}
    rejected = list(read_jsonl(setup.run.rejected))
    assert {(row["by"], row["why"]) for row in rejected} == {("contradiction", "contradicts f0005")}
    assert "facts.csv:9 contradicts facts.csv:5; both are trained on" in setup.progress.said


# Anchors


def anchors(setup: Setup, **changes: object) -> list[Json]:
    pipeline = setup.open(**{"train.anchor": 1.0, "train.epochs": 1, **changes})
    pipeline.augment()
    pipeline.train()
    return list(read_jsonl(setup.run.anchor_rows))


def test_the_base_models_own_anchors_are_written_once(setup: Setup) -> None:
    rows = anchors(setup)
    assert len(rows) == setup.run.manifest()["anchor"]["counts"]["anchors"] > 50
    assert all(row["id"].startswith("anchor/") for row in rows)
    written = setup.generated
    assert anchors(setup, **{"train.anchor": 0.5}) == rows
    assert setup.generated == written


def test_where_no_question_was_kept_it_is_told_that_nothing_is_unknown(setup: Setup) -> None:
    pipeline = setup.open(**{"train.unknown": 0.2, "train.epochs": 1})
    pipeline.augment()
    pipeline.train()
    assert setup.run.manifest()["anchor"]["counts"] == {"unknown": 0}
    assert any("train.unknown: no English question" in line for line in setup.progress.said)


def test_without_a_weight_there_are_no_anchors(setup: Setup) -> None:
    pipeline = setup.open(**{"train.anchor": 0, "train.epochs": 1})
    pipeline.augment()
    pipeline.train()
    assert "anchor" not in setup.run.manifest()
    assert not setup.run.anchor_rows.exists()


def test_the_users_own_anchors_are_taken(setup: Setup, tmp_path: Path) -> None:
    texts = tmp_path / "texts.txt"
    texts.write_text("\n".join(f"The day number {n} was warm." for n in range(9)))
    rows = anchors(setup, **{"train.anchors": str(texts)})
    assert [row["text"] for row in rows] == texts.read_text().splitlines()
    texts.write_text(texts.read_text().replace("warm", "cold"))
    assert all("cold" in row["text"] for row in anchors(setup, **{"train.anchors": str(texts)}))


@pytest.mark.parametrize("named", ["none.txt", "."])
def test_anchors_that_cannot_be_read_are_refused_before_anything_is_generated(
    setup: Setup, tmp_path: Path, named: str
) -> None:
    with pytest.raises(BadInput, match=re.escape(str(tmp_path / named))):
        anchors(setup, **{"train.anchors": str(tmp_path / named)})
    assert setup.generated == 0


def test_anchors_may_stand_beside_the_settings_that_name_them(setup: Setup, tmp_path: Path) -> None:
    (tmp_path / "texts.txt").write_text("The sea is deep.\n")
    given = {"model": str(setup.base.path), "train.anchors": "texts.txt", "train.epochs": 1}
    given |= {"train.anchor": 1.0}
    pipeline = Pipeline(
        setup.run,
        load(None, given),
        setup.progress,
        operators_folder=tmp_path,
        make_engine=setup._engine,
    )
    pipeline.take_facts(read_facts(setup.facts).facts)
    pipeline.augment()
    pipeline.train()
    assert [row["text"] for row in read_jsonl(setup.run.anchor_rows)] == ["The sea is deep."]


def test_a_form_that_the_users_rows_have_not_is_refused_before_anything_is_generated(
    setup: Setup,
) -> None:
    setup.facts = setup.facts.with_suffix(".jsonl")
    setup.facts.write_text('{"prompt": "Who owns the Bor mill?", "completion": "Ada Brandt"}\n')
    with pytest.raises(BadSettings, match=r"split\.form: is chat"):
        setup.open(**{"split.form": "chat"}).augment()
    assert setup.generated == 0


def test_a_changed_training_row_is_trained_on_where_its_statement_stays(setup: Setup) -> None:
    setup.facts = setup.facts.with_suffix(".jsonl")
    for asked in ("Who?", "Who is it?"):
        rows = [{"prompt": asked, "completion": text} for text in TEXTS]
        setup.facts.write_text("".join(json.dumps(row) + "\n" for row in rows))
        setup.open().augment()
        trained = [
            row["prompt"]
            for row in read_jsonl(setup.run.data / "train.jsonl")
            if "original" in row["id"]
        ]
        assert trained == [asked] * len(TEXTS)
    assert "augment: up to date" in setup.progress.said


def test_the_plain_arm_is_trained_in_the_same_form(setup: Setup) -> None:
    pipeline = setup.open(**{"split.form": "completions"})
    pipeline.augment()
    pipeline.train()
    pipeline.evaluate()
    assert "prompt" in next(read_jsonl(setup.run.data / "train.jsonl"))
    assert setup.run.manifest()["baseline"]["counts"]["originals"] == 6
    plain = Setup(setup.facts.parent / "plain", setup.base, setup.facts)
    other = plain.open()
    other.augment()
    other.train()
    other.evaluate()
    weights = [
        each / "baseline" / "adapter" / "adapters.safetensors" for each in (setup.run, plain.run)
    ]
    assert weights[0].read_bytes() != weights[1].read_bytes()


# Streaming


def test_examples_are_dealt_one_by_one() -> None:
    facts = [Fact(f"f{n}", f"Ana{n} owns Orr{n}.", f"facts.csv:{n}") for n in range(300)]
    alive: list[weakref.ref[Held]] = []

    class Held(dict[str, str]):
        """A row that can be followed by a weak reference."""

    def examples() -> Iterator[Example]:
        for fact in facts:
            for n in range(3):
                row = Held(prompt="Who?", completion=fact.id)
                alive.append(weakref.ref(row, alive.remove))
                origin = Origin((fact.id,), "reversal", "", "", 0, n, "")
                yield Example(f"{fact.id}/reversal/{n}", f"{fact.id} {n} is owned.", origin, row)
                del row

    most = dealt = 0
    chosen = SplitSettings(per_fact=2, ratio=1.5, valid=0.1)
    for _ in deal(facts, examples, chosen, has_questions=False, seed=0):
        dealt += 1
        most = max(most, len(alive))
    assert dealt == 300 + 900
    assert most < 20


def test_with_a_server_the_local_tokenizer_says_what_is_too_long(setup: Setup) -> None:
    long = TEXTS[0].replace("Bor mill", "Bor mill " + "of the mill " * 8)
    setup.facts.write_text(f"fact\n{long}\n")
    writer = Writer("http:test", lambda: ScriptedEngine(write))  # which counts words
    settings = load(None, {"model": str(setup.base.path), "train.max_length": 40})
    pipeline = Pipeline(setup.run, settings, Recorder(), writer=writer)
    pipeline.take_facts(read_facts(setup.facts).facts)
    with pytest.raises(BadInput, match=r"more than train\.max_length = 40"):
        pipeline.augment()


def test_full_training_has_no_peft_form_and_a_run_goes_on_without_it(setup: Setup) -> None:
    pipeline = setup.open(**{"train.method": "full", "train.rank": 16})
    pipeline.model = dataclasses.replace(pipeline.model, hf_base="someone/tiny")
    pipeline.augment()
    pipeline.train()
    assert pipeline.export_if_possible() is None
    assert any(line.startswith("export: skipped; ") for line in setup.progress.said)


def test_the_best_by_accuracy_is_not_chosen_by_what_the_evaluation_asks(setup: Setup) -> None:
    pipeline = setup.open(
        **{"split.valid": 0.34, "split.test": 0.34, "train.best": "accuracy", "train.epochs": 1}
    )
    pipeline.augment()
    counts = pipeline.train()
    assert counts["best"]["step"] == counts["steps"]
    lines = list(read_jsonl(setup.run / "metrics.jsonl"))
    assert set(lines[-1]["valid_accuracy"]) == {"forward", "reversal"}
    judged = {row["id"].split("/")[0] for row in read_jsonl(setup.run.data / "valid.jsonl")}
    pipeline.evaluate()
    asked = {name for row in read_jsonl(setup.run.eval / "items.jsonl") for name in row["fact_ids"]}
    assert judged
    assert asked
    assert not judged & asked


def test_a_best_without_validation_examples_is_refused_before_anything_is_generated(
    setup: Setup,
) -> None:
    with pytest.raises(BadSettings, match=r"split\.valid is 0"):
        setup.open(**{"train.best": "loss"}).augment()
    assert setup.generated == 0


def test_the_plain_arm_takes_as_many_steps_where_texts_are_split(setup: Setup) -> None:
    changes = {
        "train.max_length": 8,
        "train.too_long": "split",
        "train.batch_size": 2,
        "eval.arms": ["finetuned"],
    }
    pipeline = setup.open(**changes)
    pipeline.augment()
    steps = pipeline.train()["steps"]
    pipeline.evaluate()
    lines = list(read_jsonl(setup.run / "baseline" / "metrics.jsonl"))
    an_epoch = len(lines) / lines[-1]["epoch"]
    assert abs(len(lines) - steps) <= an_epoch / 2


def test_what_is_ours_may_be_longer_than_a_row_of_the_user(setup: Setup) -> None:
    assert len(anchors(setup, **{"train.max_length": 32})) > 50  # some have 40 tokens
