"""The settings of augmlx.toml, one model per stage. Every default is written once, here.

Reading and writing them: settings_file.py.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from augmlx.core.arms import ARMS, BY_DEFAULT, ArmName


class Section(BaseModel):
    # Strict: "12" and true are no numbers. Infinity passes every lower bound and cannot be written
    # back.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value  # TOML and JSON have only lists


def _distinct(value: Any) -> Any:
    value = _tuple(value)
    if isinstance(value, tuple) and any(item in value[:n] for n, item in enumerate(value)):
        raise ValueError("the same entry twice")
    return value


OWN_ANCHORS = "self"  # the base model's own texts
Name = Annotated[str, Field(min_length=1)]
Names = Annotated[tuple[Name, ...], BeforeValidator(_distinct)]


# What weighs where grammar does not know a text; see augment/filters/weighing.py.
Witness = Literal["judge", "plausibility", "round_trip", "unsure", "bias"]


class AugmentSettings(Section):
    """What is generated and what is kept. Calibration chooses those of CALIBRATED that the user did
    not write.
    """

    CALIBRATED: ClassVar[frozenset[str]] = frozenset(
        "operators prompting exemplars temperature plausibility round_trip judge weights".split()
    )

    operators: Names = Field(
        ("reversal", "rephrase", "qa-forward", "qa-reverse"),
        description="operators to run; each is a TOML file, shipped or beside augmlx.toml",
    )
    calibrate: bool = Field(
        True,
        description=(
            "measure a model at its first use, and let that choose what is not written here: "
            "augmlx models show"
        ),
    )
    prompting: Literal["auto", "raw", "chat", "turns"] = Field(
        "auto",
        description=(
            "raw: a text to be continued; chat: one message through the model's chat template; "
            "turns: so too, with the worked examples as earlier turns; auto: what suits the model"
        ),
    )
    exemplars: int = Field(
        8,
        ge=1,
        description="most worked examples in a prompt; of those in exemplars.csv the nearest",
    )
    partners: int = Field(8, ge=1, le=1000, description="most facts that one fact is paired with")
    context_tokens: int = Field(
        1024, ge=16, description="most tokens of other facts that a corpus operator shows"
    )
    samples: int = Field(
        8, ge=1, le=256, description="completions per fact and operator; the first is greedy"
    )
    temperature: float = Field(0.8, gt=0, le=4, description="of every sample but the first")
    top_p: float = Field(
        0.95, gt=0, le=1, description="nucleus: the smallest set of tokens of this mass"
    )
    max_tokens: int = Field(64, ge=1, le=4096, description="longest completion, in tokens")
    batch_size: int = Field(64, ge=1, le=1024, description="rows decoded together")
    vote_share: float = Field(
        0.5, ge=0, le=1, description="share of a fact's surviving samples that must agree"
    )
    plausibility: float = Field(
        4.0,
        description=(
            "how much likelier (nats a token) its facts must make a text, for operators "
            "that ask for it"
        ),
    )
    round_trip: float = Field(
        -0.25,
        description=(
            "by how much (nats a token) a text's answer to its own question must beat the others"
        ),
    )
    judge: float = Field(
        -1.0,
        description=(
            'by how much (nats) "Yes, it follows" must beat "No", for operators that ask the judge'
        ),
    )
    weights: dict[Witness, float] = Field(
        default={},
        description=(
            "of what the model says of a text that grammar does not know, as calibration fits "
            "them: a text passes where their sum is not below 0; none: grammar alone decides"
        ),
    )
    duplicate_similarity: float = Field(
        0.95,
        gt=0,
        le=1,
        description="texts of one fact and operator at least this alike are duplicates",
    )
    keep: int = Field(2, ge=1, description="most examples kept per fact and operator")


class SplitSettings(Section):
    """What is trained on and what is held out. Originals are always trained on."""

    test: Annotated[float, Field(ge=0, lt=1)] | Literal["auto"] = Field(
        "auto",
        description=(
            "share of facts whose augmentations become the test; auto: 0.2 without "
            "--questions, else 0"
        ),
    )
    valid: float = Field(
        0.0, ge=0, lt=1, description="share of facts whose augmentations become valid.jsonl"
    )
    per_fact: int = Field(
        0, ge=0, description="most augmentations of one fact that are trained on; 0: no limit"
    )
    ratio: float = Field(
        0.0, ge=0, description="most augmentations for each original, over all facts; 0: no limit"
    )
    leak: Literal["report", "drop"] = Field(
        "report",
        description="augmentations that state what a question asks for: count those that do so "
        "word for word, or leave all of them out",
    )
    form: Literal["auto", "text", "completions", "chat", "mixed"] = Field(
        "auto",
        description=(
            "how rows of data/ are written, as mlx-lm names it; mixed: statements as texts, "
            "questions as chats; auto: as the facts' file has them, and else mixed for a model "
            "with a chat template, text for another"
        ),
    )

    @model_validator(mode="after")
    def _something_is_left(self) -> SplitSettings:
        if (0.0 if self.test == "auto" else self.test) + self.valid >= 1:
            raise ValueError("test and valid together must be less than 1")
        return self


class TrainSettings(Section):
    """Fine-tuning: what is trained, on what, how, and for how long."""

    method: Literal["lora", "dora", "full"] = Field(
        "lora",
        description=(
            "lora or dora: an adapter (over a quantised model: QLoRA); full: the targets' "
            "own weights"
        ),
    )
    rank: int = Field(16, ge=1, le=1024, description="rank of the adapter")
    ranks: dict[Name, Annotated[int, Field(ge=1, le=1024)]] = Field(
        default={},
        description='other ranks for some targets, such as { down_proj = 32, "self_attn.*" = 8 }; '
        "a path goes before a name, a name before a pattern",
    )
    scale: float = Field(
        2.0, gt=0, description="factor on the adapter's output; PEFT's alpha = scale * rank"
    )
    dropout: float = Field(0.0, ge=0, lt=1, description="on the adapter's input")
    layers: Literal["auto", -1] | Annotated[int, Field(ge=1)] = Field(
        "auto",
        description=(
            "number of last layers that are trained, -1: all; auto: a third of them with anchors, "
            "which is as good and takes half the time, else all"
        ),
    )
    targets: Names = Field(
        ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"),
        min_length=1,
        description=(
            'linear modules that are trained, by name or pattern, such as "*_proj" or "mlp.*"'
        ),
    )
    anchor: float = Field(
        2.0,
        ge=0,
        description=(
            "weight of staying where the base model was on the anchors, so that next to nothing "
            "is forgotten; a step takes up to twice as long; 0: off"
        ),
    )
    anchors: str = Field(
        OWN_ANCHORS,
        description=(
            'texts to stay at: "self", the base model\'s own on everyday things; or a file of '
            "texts or a training set"
        ),
    )
    unknown: float = Field(
        0.58,
        ge=0,
        le=2,
        description=(
            "rows that ask what no fact answers, in the words of the facts' questions, and are "
            'answered "I don\'t know", to one question of the training set, with more weight on '
            "the first token of a reply; 0: none"
        ),
    )
    optimizer: Literal["adam", "adamw", "adafactor", "muon", "sgd"] = Field(
        "adam", description="sgd has momentum 0.9, muon 0.95"
    )
    weight_decay: float = Field(0.0, ge=0, le=1, description="of every optimizer but adam")
    learning_rate: Annotated[float, Field(gt=0)] | Literal["auto"] = Field(
        "auto",
        description=(
            "auto: 5e-4 * (2000 / hidden size) ** x, the published rule for LoRA: x is 0.781 for "
            "Llama models, 0.0775 for Qwen's, and for others what gives less; a tenth for full, "
            "and 1.5 of it with anchors"
        ),
    )
    schedule: Literal["linear", "cosine", "constant"] = Field(
        "linear",
        description="of the learning rate behind its warm-up; linear and cosine end at a tenth",
    )
    warmup: float = Field(
        0.05, ge=0, lt=1, description="share of the steps with a rising learning rate"
    )
    clip: float = Field(1.0, ge=0, description="largest norm of a step's gradients; 0: no limit")
    average: float = Field(
        0.1,
        ge=0,
        le=1,
        description=(
            "share of the steps, the last ones, the mean of whose weights is kept: an adapter's "
            "last steps still swing about it; 0, and where the best is kept: no mean"
        ),
    )
    epochs: int = Field(9, ge=1, description="passes over the training data")
    batch_size: int = Field(8, ge=1, description="examples in memory at a time")
    accumulate: int = Field(1, ge=1, description="batches per optimizer step")
    max_length: int = Field(512, ge=8, description="longest example, in tokens")
    too_long: Literal["refuse", "split"] = Field(
        "refuse", description="what is done with longer examples; only texts can be split"
    )
    turns: Literal["all", "last"] = Field(
        "all", description="which of the assistant's turns in a chat are learnt"
    )
    packing: Literal["auto", "always", "never"] = Field(
        "auto",
        description="examples of a batch in one row without padding, within the model's window; "
        "auto: where it saves enough of it",
    )
    compile: Literal["auto", "always", "never"] = Field(
        "auto", description="compile the step, with batches padded to few shapes; auto: on a GPU"
    )
    checkpoint_layers: bool = Field(
        False, description="gradient checkpointing: less memory, a third more time"
    )
    checkpoint_every: int = Field(25, ge=1, description="steps between checkpoints")
    checkpoints: int = Field(2, ge=1, description="how many of the newest checkpoints are kept")
    validate_every: int = Field(
        0, ge=0, description="steps between validations on data/valid.jsonl; 0: every epoch"
    )
    best: Literal["off", "loss", "accuracy", "kept"] = Field(
        "off",
        description="keep the adapter of the best validation, by loss, or by accuracy on questions "
        "made of valid.jsonl; kept: by accuracy, of those that cost no more than 5 % of perplexity "
        "on anchors held out; off: keep the last",
    )
    patience: int = Field(
        0, ge=0, description="stop after so many validations without a better one; 0: never"
    )
    report_to: Annotated[
        tuple[Literal["wandb", "swanlab", "tensorboard"], ...], BeforeValidator(_distinct)
    ] = Field(
        (),
        description=(
            "where the metrics also go, if installed; no part of augmlx: wandb and "
            "swanlab may upload"
        ),
    )

    @model_validator(mode="after")
    def _fits_together(self) -> TrainSettings:
        if self.method == "full":
            for name in ("rank", "ranks", "scale", "dropout", "average"):
                default = type(self).model_fields[name].default
                if getattr(self, name) != default:
                    raise ValueError(
                        f"train.{name} is of adapters, and method full has none: leave it at "
                        f"{default}"
                    )
        if self.optimizer == "adam" and self.weight_decay:
            raise ValueError("adam has no weight decay; write optimizer = adamw")
        if self.optimizer in ("sgd", "muon") and self.learning_rate == "auto":
            raise ValueError(
                f"the learning rate for {self.optimizer} must be named: the rule of auto is for "
                f"adam"
            )
        if self.anchors != OWN_ANCHORS and not self.anchor:
            raise ValueError(
                "anchors names texts that anchor = 0 makes no use of: give it a weight"
            )
        if self.best == "kept" and not self.anchor:
            raise ValueError(
                "best = kept measures on anchors what is kept, and anchor = 0 makes none: give it "
                "a weight"
            )
        if self.patience and self.best == "off":
            raise ValueError("patience needs a best other than off, to tell what is better")
        return self

    @property
    def asks_questions(self) -> bool:
        """Whether validations ask questions made of valid.jsonl."""
        return self.best in ("accuracy", "kept")

    def steps_per_epoch(self, examples: int) -> int:
        return -(-examples // (self.batch_size * self.accumulate))

    @property
    def learnt(self) -> dict[str, Any]:
        """What of these settings decides the weights. Validating changes none, unless the best is
        kept.
        """
        aside = {"checkpoint_every", "checkpoints", "report_to"}
        if not self.average:
            aside.add("average")  # as before it was a setting
        return self.model_dump(
            mode="json", exclude=aside | ({"validate_every"} if self.best == "off" else set())
        )


class MemorySettings(Section):
    """Limits of MLX's memory on a GPU, for as long as a stage runs. They change no result."""

    wired: Annotated[float, Field(ge=0)] | Literal["auto"] = Field(
        "auto", description="GB that stay wired; auto: what the system recommends for its GPU"
    )
    cache: Annotated[float, Field(ge=0)] | Literal["auto"] = Field(
        "auto", description="GB of freed buffers that MLX may keep for reuse; auto: MLX's own limit"
    )


class EvalSettings(Section):
    """Which arms answer, and how."""

    arms: Annotated[tuple[ArmName, ...], BeforeValidator(_distinct)] = Field(
        BY_DEFAULT,
        min_length=1,
        description="arms to compare; also icl-augmented (augmentations in context, too), "
        "rephrased (a control: originals and rephrasings alone, about as many steps) and oracle "
        "(true consequences, from --oracle)",
    )
    adapters: dict[Name, Name] = Field(
        default={},
        description=(
            'adapter folders of this model as further arms, such as { older = "runs/old/adapter" }'
        ),
    )
    ability: bool = Field(
        True,
        description=(
            "ask the arms a shipped text and everyday questions, too: is general ability "
            "still there?"
        ),
    )
    overclaims: bool = Field(
        True,
        description=(
            "ask a model that people talk to what no fact answers, too: does it keep to what it "
            "was taught?"
        ),
    )
    choices: int = Field(4, ge=2, le=26, description="choices per question, the answer included")
    score: Literal["token", "sum"] = Field(
        "token", description="choose by log-probability per token, or summed over the choice"
    )
    max_tokens: int = Field(24, ge=1, description="longest greedy answer, in tokens")

    @model_validator(mode="after")
    def _arms_have_names_of_their_own(self) -> EvalSettings:
        if taken := sorted(set(self.adapters) & set(ARMS)):
            raise ValueError(
                f"eval.adapters: {', '.join(taken)} is an arm already; choose another name"
            )
        if bad := next(
            (name for name in self.adapters if not re.fullmatch(r"[\w.-]{1,40}", name)), None
        ):
            raise ValueError(
                f"eval.adapters: {bad!r}: an arm's name is made of letters, digits, and . _ -"
            )
        return self


class Settings(Section):
    """Everything a run depends on besides its input files."""

    model: Name = Field(
        "smollm2-135m", description="a model of the store (augmlx models), or a model folder"
    )
    seed: int = Field(0, ge=0, description="all randomness is derived from it")
    augment: AugmentSettings = AugmentSettings()
    split: SplitSettings = SplitSettings()
    train: TrainSettings = TrainSettings()
    eval: EvalSettings = EvalSettings()
    memory: MemorySettings = MemorySettings()
