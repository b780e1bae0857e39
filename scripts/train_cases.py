"""The sets of examples of bench_train.py, invented from a seed, and its tiny model with a large
vocabulary.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from augmlx.models import loading
from augmlx.models.store import folder as store

SYLLABLES = "ba ko ri ten vas lu mi dor ne sha gol fi ur pel zan tho".split()
FACTS = [
    "{a} painted the {b} mural.",
    "{a} is the chair of the {b} Trust.",
    "{a} restored the {b} bridge.",
    "The {b} orchard belongs to {a}.",
    "{a} is older than {b} Senn.",
    "{a} translated the {b} chronicle.",
]
PROSE = [
    "In the spring of {year}, {a} walked from {b} to the coast and wrote down what the fishermen "
    "said about the tides.",
    "Nobody in {b} had seen such a lamp before, and {a} was asked to explain it in the market "
    "hall.",
    "The council met on the first day of the month; {a} spoke for the mill, and was heard in "
    "silence.",
    "There are {n} houses on the hill above {b}, each with a garden that runs down to the river.",
    "When the bridge was closed, letters to {a} had to be carried over the pass, which took {n} "
    "days in winter.",
    "It is said that {a} learnt the trade from a clockmaker in {b}, though the guild's own book "
    "does not name him.",
    "The harvest of {year} was poor, and the school of {b} stayed shut until the snow had gone.",
]


@dataclass(frozen=True, slots=True)
class Case:
    """A set of examples and how it is trained on. `count` is a whole number of batches: mlx_lm.lora
    drops the rest.
    """

    about: str
    count: int
    batch_size: int
    epochs: int
    repeats: int  # of the MLX columns
    learning_rate: float
    tokens: tuple[int, int] | None = (
        None  # prose that is as long as fits between these; None: a fact each
    )
    vocabulary: int | None = None  # of a tiny model; None: the model that was asked for


CASES = {
    "a": Case("facts of about 15 tokens", 160, 16, 2, 2, 1e-3),
    "b": Case("examples of 128 to 512 tokens", 8, 4, 2, 2, 1e-3, (128, 512)),
    "c": Case("a tiny model with a vocabulary of 150,000", 16, 16, 2, 1, 1e-3, (64, 96), 150_000),
}


def filled(shape: str, rng: Random) -> str:
    def name() -> str:
        return "".join(rng.choice(SYLLABLES) for _ in range(rng.randint(2, 3))).capitalize()

    return shape.format(
        a=f"{name()} {name()}", b=name(), n=rng.randint(3, 90), year=rng.randint(1500, 1990)
    )


def texts(case: Case, count: int, length: Callable[[str], int]) -> list[str]:
    """`length` gives the tokens of a text, without the one that ends it."""
    rng = Random(
        "prose"
    )  # in its order mlx_lm.lora, which does not sort, pads (b) a little less than on average
    if case.tokens is None:
        return [filled(FACTS[n % len(FACTS)], rng) for n in range(count)]
    least, most = case.tokens
    written = []
    for n in range(count):
        room = (
            most - 1 - (most - least) * n // count
        )  # the longest first; one token is left for the end
        text = filled(rng.choice(PROSE), rng)
        while length(text) <= room:
            text = f"{text} {filled(rng.choice(PROSE), rng)}"
        words = text.split(" ")
        while length(" ".join(words)) > room:
            words.pop()
        written.append(" ".join(words))
    rng.shuffle(written)
    return written


def write_model(folder: Path, vocabulary: int) -> None:
    """Random weights in the form of a small llama model; its tokenizer uses few of its tokens."""
    import mlx.core as mx
    from mlx.utils import tree_flatten
    from mlx_lm.models import llama
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 16,
        "rms_norm_eps": 1e-5,
        "vocab_size": vocabulary,
        "max_position_embeddings": 1024,
        "rope_theta": 10000.0,
        "tie_word_embeddings": True,
        "bos_token_id": 0,
        "eos_token_id": 0,
    }
    mx.random.seed(0)
    model = llama.Model(llama.ModelArgs.from_dict(config))
    folder.mkdir(parents=True)
    mx.save_safetensors(
        str(folder / "model.safetensors"), dict(tree_flatten(model.parameters())), {"format": "pt"}
    )
    (folder / "config.json").write_text(json.dumps(config))
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=2000, special_tokens=["</s>"], initial_alphabet=alphabet, show_progress=False
    )
    made.train_from_iterator(sentences(), trainer)
    made.save(str(folder / "tokenizer.json"))
    about = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "</s>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(about))


def sentences() -> Iterable[str]:
    rng = Random("tokenizer")
    return [filled(rng.choice(PROSE), rng) for _ in range(500)]


def write(case: Case, count: int, model: str, folder: Path) -> dict[str, object]:
    """Write `folder`/train.jsonl, and the model if the case has one of its own. Returns the model's
    folder, and the tokens of each row, the one that ends it included.
    """
    if case.vocabulary is not None:
        model = str(folder / "model")
        write_model(Path(model), case.vocabulary)
    stored = store.find(model)
    length = loading.token_counter(stored)
    rows = texts(case, count, length)
    lines = [json.dumps({"id": f"t{n}", "text": text}) for n, text in enumerate(rows)]
    (folder / "train.jsonl").write_text("\n".join(lines) + "\n")
    return {"model": str(stored.path), "lengths": [length(text) + 1 for text in rows]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case", choices=CASES)
    parser.add_argument("count", type=int)
    parser.add_argument("model")
    parser.add_argument("folder", type=Path)
    given = parser.parse_args()
    print(json.dumps(write(CASES[given.case], given.count, given.model, given.folder)))


if __name__ == "__main__":
    main()
