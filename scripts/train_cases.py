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

import invented
import jsonlines

from augmlx.models import loading
from augmlx.models.store import folder as store

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


ANCHOR_TOKENS = 40  # about as long as what augmlx has the base model write


@dataclass(frozen=True, slots=True)
class Case:
    """A set of examples and how it is trained on.

    Args:
        count: examples, a whole number of batches: mlx_lm.lora drops the rest.
        repeats: runs of the MLX columns.
        tokens: prose that is as long as fits between these; None: a fact each.
        vocabulary: of a tiny model of its own; None: the model that was asked for.
        anchors: texts at which the anchored columns hold the model; 0: no such columns.
    """

    about: str
    count: int
    batch_size: int
    epochs: int
    repeats: int
    learning_rate: float
    tokens: tuple[int, int] | None = None
    vocabulary: int | None = None
    anchors: int = 0


CASES = {
    "a": Case("facts of about 15 tokens", 160, 16, 2, 2, 1e-3, anchors=20),
    "b": Case("examples of 128 to 512 tokens", 8, 4, 2, 2, 1e-3, (128, 512)),
    "c": Case("a tiny model with a vocabulary of 150,000", 16, 16, 2, 1, 1e-3, (64, 96), 150_000),
}


def filled(shape: str, rng: Random) -> str:
    """A sentence with names and numbers in its gaps."""
    person = invented.full_name(rng)
    place = invented.name(rng)
    count = rng.randint(3, 90)
    year = rng.randint(1500, 1990)
    return shape.format(a=person, b=place, n=count, year=year)


def texts(case: Case, count: int, length: Callable[[str], int]) -> list[str]:
    """Facts, or prose in random order.

    Args:
        length: gives the tokens of a text, without the one that ends it.
    """
    # In the order of this seed mlx_lm.lora, which does not sort, pads (b) a little less than on
    # average.
    rng = Random("prose")
    if case.tokens is None:
        shapes = invented.FACTS
        return [filled(shapes[number % len(shapes)], rng) for number in range(count)]
    least, most = case.tokens
    written = []
    for number in range(count):
        longest = most - (most - least) * number // count  # the longest first
        # One token is left for the end.
        text = prose(longest - 1, length, rng)
        written.append(text)
    rng.shuffle(written)
    return written


def prose(room: int, length: Callable[[str], int], rng: Random) -> str:
    """Sentences that fill so many tokens, the last cut off where it no longer fits."""
    text = filled(rng.choice(PROSE), rng)
    while length(text) <= room:
        sentence = filled(rng.choice(PROSE), rng)
        text = f"{text} {sentence}"
    words = text.split(" ")
    while length(text) > room:
        words.pop()
        text = " ".join(words)
    return text


def write_model(folder: Path, vocabulary: int) -> None:
    """Random weights in the form of a small llama model; its tokenizer uses few of its tokens."""
    import mlx.core as mx
    from mlx.utils import tree_flatten
    from mlx_lm.models import llama

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
    weights = dict(tree_flatten(model.parameters()))
    folder.mkdir(parents=True)
    mx.save_safetensors(str(folder / "model.safetensors"), weights, {"format": "pt"})
    (folder / "config.json").write_text(json.dumps(config))
    write_tokenizer(folder)


def write_tokenizer(folder: Path) -> None:
    """A byte-level BPE of 2,000 tokens, learnt from the sentences."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=2000,
        special_tokens=["</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(sentences(), trainer)
    tokenizer.save(str(folder / "tokenizer.json"))
    about = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "</s>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(about))


def sentences() -> Iterable[str]:
    """What the tokenizer of the tiny model learns from."""
    rng = Random("tokenizer")
    return [filled(rng.choice(PROSE), rng) for _ in range(500)]


def write(case: Case, count: int, model: str, folder: Path) -> dict[str, object]:
    """Write `folder`/train.jsonl and anchors.jsonl, and the model if the case has one of its own.
    Returns the model's folder, and the tokens of each row, the one that ends it included.
    """
    if case.vocabulary is not None:
        own_model = folder / "model"
        write_model(own_model, case.vocabulary)
        model = str(own_model)
    stored = store.find(model)
    length = loading.token_counter(stored)
    rows = texts(case, count, length)
    with jsonlines.open(folder / "train.jsonl", "w") as writer:
        writer.write_all({"id": f"t{number}", "text": text} for number, text in enumerate(rows))
    rng = Random("anchors")
    held = [prose(ANCHOR_TOKENS, length, rng) for _ in range(case.anchors)]
    with jsonlines.open(folder / "anchors.jsonl", "w") as writer:
        writer.write_all({"id": f"a{number}", "text": text} for number, text in enumerate(held))
    return {
        "model": str(stored.path),
        "lengths": [length(text) + 1 for text in rows],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case", choices=CASES)
    parser.add_argument("count", type=int)
    parser.add_argument("model")
    parser.add_argument("folder", type=Path)
    given = parser.parse_args()
    case = CASES[given.case]
    written = write(case, given.count, given.model, given.folder)
    print(json.dumps(written))


if __name__ == "__main__":
    main()
