from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import CORPUS, KINDS, VOCABULARY, load_tiny, write_model
from tokenizers import Tokenizer, decoders, models, normalizers, trainers

from augmlx.core.errors import ModelError
from augmlx.core.progress import Silent
from augmlx.core.settings import Settings, TrainSettings
from augmlx.engines.mlx import engine as engine_module
from augmlx.engines.mlx import prefixes
from augmlx.engines.mlx import prompts as prompts_module
from augmlx.engines.mlx.decoding import Decoder, Limits, Row
from augmlx.engines.mlx.engine import MlxEngine
from augmlx.engines.mlx.prefill import Prefill
from augmlx.engines.mlx.prefixes import LEAST, Cache, common_prefix
from augmlx.engines.mlx.sampling import NUCLEUS_LIMIT, Draw, next_tokens
from augmlx.engines.protocol import Completion, Request, Score
from augmlx.models import heads, loading
from augmlx.models.heads import Head
from augmlx.models.loading import LoadedModel
from augmlx.training import fit

import mlx.core as mx  # isort: skip
import mlx_lm  # isort: skip
import numpy as np  # isort: skip
from mlx_lm.models.cache import ChunkedKVCache  # isort: skip

PREFIX = (
    "Fact: the bridge at Venn was built in 1987.\nReversed: built in 1987 was the bridge at "
    "Venn.\n\nFact: "
)
SUFFIXES = (
    "Ada Brandt was born in Ostrel.\nReversed:",
    "Ada Brandt keeps the harbour hall.\nReversed:",
    "The capital of Ostrel is Venn.\nReversed:",
    "x",
)
ATTENTION = ["llama", "llama-untied", "gemma2", "cohere", "granite"]
OTHER_CACHES = ["llama-sliding", "gemma3_text", "mamba2"]
NEVER = "\N{SNOWMAN}\N{SNOWMAN}"


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], LoadedModel]:
    """A tiny model by kind, each made once."""
    return lru_cache(lambda kind: load_tiny(tmp_path_factory.mktemp("models") / kind, kind))


@pytest.fixture
def loaded(tiny: Callable[[str], LoadedModel]) -> LoadedModel:
    return tiny("llama")


def request(prefix: str, suffix: str, number: int = 0, **changes: object) -> Request:
    values: dict[str, object] = {
        "key": f"{number}",
        "seed": f"0:fact-{number}:reversal:{number}",
        "temperature": 0.0,
        "top_p": 1.0,
        "max_tokens": 20,
        "stop": NEVER,
    }
    return Request(prefix=prefix, suffix=suffix, **{**values, **changes})  # type: ignore[arg-type]


def requests(
    prefix: str = PREFIX, suffixes: Sequence[str] = SUFFIXES, **changes: object
) -> list[Request]:
    return [request(prefix, suffix, number, **changes) for number, suffix in enumerate(suffixes)]


def judged(loaded: LoadedModel, r: Request) -> str:
    """What mlx-lm itself writes for the request alone, token by token, up to the stop text."""
    tokens: list[int] = []
    for response in mlx_lm.stream_generate(
        loaded.model, loaded.tokenizer, r.prompt, max_tokens=r.max_tokens
    ):
        if response.token in loaded.tokenizer.eos_token_ids:
            break
        tokens.append(response.token)
    return str(loaded.tokenizer.decode(tokens)).split(r.stop, 1)[0]


def texts(completions: Sequence[Completion]) -> list[str]:
    return [completion.text for completion in completions]


# Greedy generation


@pytest.mark.parametrize("kind", [*ATTENTION, *OTHER_CACHES])
@pytest.mark.parametrize("prefix", [PREFIX, ""], ids=["prefix", "none"])
def test_greedy_batches_write_what_mlx_lm_writes_one_by_one(
    tiny: Callable[[str], LoadedModel], kind: str, prefix: str
) -> None:
    loaded = tiny(kind)
    asked = [*requests(prefix), *requests(prefix, [f"{s} the" for s in SUFFIXES])]
    written = list(MlxEngine(loaded).generate(asked))
    assert texts(written) == [judged(loaded, r) for r in asked]
    assert [c.key for c in written] == [r.key for r in asked]
    assert all(c.finish in ("length", "stop") for c in written)


def test_different_prefixes_in_one_call_and_completions_in_the_order_asked(
    loaded: LoadedModel,
) -> None:
    asked = [
        request(prefix, suffix, number, max_tokens=length)
        for number, (prefix, suffix, length) in enumerate(
            [
                (PREFIX, "x", 30),
                ("The lamp of ", "Mara", 3),
                ("", "Ada", 9),
                (PREFIX, "Ada", 1),
                ("The lamp of ", "x", 5),
            ]
        )
    ]
    engine = MlxEngine(loaded)
    for order in (asked, asked[::-1]):
        assert texts(list(engine.generate(order))) == [judged(loaded, r) for r in order]
    assert list(engine.generate([])) == []


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_the_border_of_prefix_and_suffix_may_be_anywhere(
    tiny: Callable[[str], LoadedModel], data: st.DataObject
) -> None:
    loaded = tiny("llama")
    whole = PREFIX + SUFFIXES[1]
    borders = data.draw(st.lists(st.integers(0, len(whole)), min_size=1, max_size=4))
    asked = [request(whole[:b], whole[b:], n, max_tokens=8) for n, b in enumerate(borders)]
    expected = judged(loaded, asked[0])
    assert texts(list(MlxEngine(loaded).generate(asked))) == [expected] * len(asked)


def test_small_batches_write_the_same_as_one(loaded: LoadedModel) -> None:
    asked = [*requests(), *requests(suffixes=["Ada", "The", "?"])]
    whole = list(MlxEngine(loaded).generate(asked))
    for batch_tokens in (1, 200, 300):
        assert list(MlxEngine(loaded, batch_tokens=batch_tokens).generate(asked)) == whole


def test_requests_with_the_same_key_are_each_answered(loaded: LoadedModel) -> None:
    asked = [request(PREFIX, "Ada"), request(PREFIX, "Ada"), request(PREFIX, "The lamp")]
    assert texts(list(MlxEngine(loaded).generate(asked))) == [judged(loaded, r) for r in asked]


def test_a_tokenizer_that_begins_every_text(tmp_path: Path) -> None:
    loaded = load_tiny(tmp_path / "model", begin=True)
    engine = MlxEngine(loaded)
    asked = [*requests(), request("<s>The lamp", " of Mara", 9), request("", "<s>", 8)]
    assert texts(list(engine.generate(asked))) == [judged(loaded, r) for r in asked]
    assert engine.encode("<s>Ada") == engine.encode("Ada")


# Ends


@pytest.fixture(scope="session")
def taught(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    """A tiny model with an adapter that recites the corpus, read back from the adapter's folder."""
    folder = tmp_path_factory.mktemp("taught")
    stored = write_model(folder / "model")
    rows = [{"id": str(number), "text": text * 2} for number, text in enumerate(CORPUS)]
    config = Settings(
        train=TrainSettings(
            rank=32, epochs=150, batch_size=4, learning_rate=1e-2, checkpoint_every=1000
        )
    )
    fit.fit(fit.prepare(stored, rows, config), folder, progress=Silent(), label="x")
    return loading.load(stored, folder / "adapter")


def opened(loaded: LoadedModel, number: int, tokens: int = 6) -> tuple[str, str]:
    """A recited text, cut behind its first tokens."""
    text = CORPUS[number] * 2
    start = str(loaded.tokenizer.decode(loaded.tokenizer.encode(text)[:tokens]))
    return start, text[len(start) :]


@pytest.mark.parametrize("stop", ["\n", ".\n", "\n\n", "l?", "hall?\n\nAda Br", "B", " "])
def test_a_row_ends_at_its_stop_text(taught: LoadedModel, stop: str) -> None:
    """The stop may be a token, stand within one such as "?\\n\\nAd", or span several."""
    engine = MlxEngine(taught)
    start, rest = opened(taught, 1)
    [written] = engine.generate([request(start, "", stop=stop, max_tokens=60)])
    assert written.text == rest.split(stop, 1)[0]
    assert written.finish == "stop"
    tokens = engine.encode(start + rest)[6:]
    assert stop in taught.tokenizer.decode(tokens[: written.tokens])
    assert stop not in taught.tokenizer.decode(
        tokens[: written.tokens - 1]
    )  # not a token more than needed


def test_the_corpus_has_tokens_that_hold_more_than_the_line_end(taught: LoadedModel) -> None:
    engine = MlxEngine(taught)
    held = {taught.tokenizer.decode([token]) for token in engine.stop_tokens("\n")}
    assert "\n" in held
    assert any(text.startswith("?\n\n") for text in held)
    assert any(text.endswith(".\n") for text in held)


def test_rows_that_end_at_different_times_do_not_disturb_each_other(taught: LoadedModel) -> None:
    asked = [
        request(opened(taught, n % 4, 3 + n)[0], "", n, max_tokens=30, stop="\n") for n in range(12)
    ]
    written = list(MlxEngine(taught).generate(asked))
    assert texts(written) == [judged(taught, r) for r in asked]
    assert texts(written) == [opened(taught, n % 4, 3 + n)[1].split("\n", 1)[0] for n in range(12)]
    assert len({c.tokens for c in written}) > 3


def test_the_end_of_text_token_ends_a_row_and_is_no_text(taught: LoadedModel) -> None:
    start, rest = opened(taught, 0)
    [written] = MlxEngine(taught).generate([request(start, "", max_tokens=60)])
    assert (written.text, written.finish) == (rest, "stop")
    assert written.tokens == len(taught.tokenizer.encode(start + rest)) - 6


def test_a_row_that_reaches_its_length_is_cut_off(loaded: LoadedModel) -> None:
    [written] = MlxEngine(loaded).generate([request(PREFIX, "Ada", max_tokens=7)])
    assert (written.finish, written.tokens) == ("length", 7)
    [written] = MlxEngine(loaded).generate([request(PREFIX, "Ada", max_tokens=1, stop="")])
    assert (written.finish, written.tokens) == ("length", 1)


def test_a_prompt_that_does_not_fit_is_an_error_and_harms_no_other(loaded: LoadedModel) -> None:
    engine = MlxEngine(loaded)
    assert engine.window == 256
    fits = request("", "a ? " * 30, 1, max_tokens=4)
    size = engine.count(fits.prompt)
    longest = replace(fits, key="longest", max_tokens=256 - size)
    asked = [
        replace(longest, key="longer", max_tokens=257 - size),
        fits,
        request("", "", 3),
        longest,
    ]
    long, short, empty, whole = engine.generate(asked)
    assert long == Completion("longer", "257 tokens do not fit the model's 256", "error", 0)
    assert short.text == judged(loaded, fits)
    assert empty == Completion("3", "the prompt is empty", "error", 0)
    assert whole.finish in ("length", "stop")


def test_a_first_word_keeps_its_space_under_sentencepiece(tmp_path: Path) -> None:
    """Such a tokenizer drops a text's first space when it decodes, and a completion is the middle
    of a text.
    """
    stored = write_model(tmp_path / "model")
    made = Tokenizer(models.BPE(unk_token="<unk>"))
    made.normalizer = normalizers.Sequence(
        [normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")]
    )
    made.decoder = decoders.Sequence(
        [
            decoders.Replace("\u2581", " "),
            decoders.Fuse(),
            decoders.Strip(content=" ", left=1, right=0),
        ]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=200, special_tokens=["<unk>"], show_progress=False, max_token_length=4
    )
    made.train_from_iterator(CORPUS, trainer)
    made.save(str(stored.path / "tokenizer.json"))
    engine = MlxEngine(loading.load(stored))
    asked = request("Ada", "")
    row = Row(asked, engine.prompt_tokens(asked), (), Draw(asked), tokens=engine.encode("keeps"))
    assert engine._endings.decoded(row.tokens) == "keeps"
    assert engine._endings.text(row) == " keeps"


# Tokens that are run, and tokens that are not


def test_what_is_shared_is_prefilled_once(loaded: LoadedModel) -> None:
    engine = MlxEngine(loaded)
    suffixes = ["Ada", "Ada", "Ada", "The lamp", "The lamp"]
    asked = requests(PREFIX, suffixes)
    counts = [engine.count(r.prompt) for r in asked]
    shared = len(common_prefix([engine.encode(PREFIX), engine.encode(asked[0].prompt)]))
    list(engine.generate(asked))
    first = engine.tokens.prefilled
    distinct = sum(engine.count(PREFIX + suffix) - shared for suffix in ("Ada", "The lamp"))
    assert first == shared + distinct  # samples of a prompt share all of it, the last token too
    assert first + engine.tokens.reused == sum(counts)
    assert engine.tokens.generated == len(asked) * 20
    list(engine.generate(asked))
    assert engine.tokens.prefilled - first == distinct  # the next call finds the prefix there
    assert engine.tokens.prefilled + engine.tokens.reused == 2 * sum(counts)


def test_samples_that_do_not_fit_beside_each_other_take_their_prompt_anew(
    loaded: LoadedModel,
) -> None:
    asked = requests(PREFIX, ["Ada"] * 5)
    engine = MlxEngine(loaded, width=2)
    assert texts(list(engine.generate(asked))) == [judged(loaded, asked[0])] * 5
    shared = len(common_prefix([engine.encode(PREFIX), engine.encode(asked[0].prompt)]))
    assert engine.tokens.prefilled == shared + 3 * (engine.count(asked[0].prompt) - shared)


def test_prefixes_that_take_turns_are_each_prefilled_once(loaded: LoadedModel) -> None:
    engine = MlxEngine(loaded)
    begun = [
        "The lamp of Mara Voss, not of Ada.\n" * 2,
        "Who keeps the harbour? Ada Brandt, in 1987.\n" * 2,
    ]
    asked = [request(begun[n % 2], f"a{n}", n, max_tokens=2) for n in range(6)]
    list(engine.generate(asked))
    shared = [common_prefix([engine.encode(r.prefix), engine.encode(r.prompt)]) for r in asked]
    assert min(map(len, shared)) >= LEAST
    assert engine.tokens.prefilled == sum(engine.count(r.prompt) for r in asked) - sum(
        map(len, shared[2:])
    )


@pytest.mark.parametrize("kind", ["llama", "gemma3_text", "mamba2"])
def test_a_head_that_several_prefixes_share_is_prefilled_once(
    tiny: Callable[[str], LoadedModel], kind: str
) -> None:
    loaded = tiny(kind)
    engine = MlxEngine(loaded)
    corpora = [
        "The lamp of Mara Voss is in Venn, not here. " * 2,
        "Ada Brandt was born in Ostrel, not in Venn. " * 2,
    ]
    asked = [
        request(PREFIX + corpus, suffix, n)
        for n, corpus in enumerate(corpora)
        for suffix in SUFFIXES[:2]
    ]
    assert texts(list(engine.generate(asked))) == [judged(loaded, r) for r in asked]
    head, *longer = sorted(engine._prefixes.kept, key=len)
    assert list(head) == common_prefix([engine.encode(r.prompt) for r in asked])
    assert len(longer) == 2
    behind = sum(len(tokens) - len(head) for tokens in longer)
    rest = sum(engine.count(r.prompt) - len(longer[n // 2]) for n, r in enumerate(asked))
    assert engine.tokens.prefilled == len(head) + behind + rest
    # The same again finds its caches. A prefix by itself does not go on from the head, for what was
    # asked before must not tell in its last bits.
    before = engine.tokens.prefilled
    again = list(engine.generate(asked))
    assert texts(again) == [judged(loaded, r) for r in asked]
    assert engine.tokens.prefilled - before == rest
    before = engine.tokens.prefilled
    later = request(PREFIX + "The capital of Ostrel is Venn, built in 1987. " * 2, "x")
    assert texts(list(engine.generate([later]))) == [judged(loaded, later)]
    assert engine.tokens.prefilled - before == engine.count(later.prompt)


def test_the_caches_kept_hold_no_more_tokens_than_a_batch_but_the_newest_is_kept(
    loaded: LoadedModel,
) -> None:
    begun = [f"{n} " + "The lamp of Mara Voss. " * 3 for n in range(4)]
    size = len(MlxEngine(loaded).encode(begun[0]))
    for bound, kept in ((3 * size, 3), (size, 1), (1, 1)):
        engine = MlxEngine(loaded, batch_tokens=bound)
        list(
            engine.generate(
                [request(prefix, "x", n, max_tokens=1) for n, prefix in enumerate(begun)]
            )
        )
        assert len(engine._prefixes.kept) == kept
        assert loaded.tokenizer.decode(list(engine._prefixes.kept[-1])).startswith("3 The")


def test_a_prefix_in_use_outlives_those_that_are_not(loaded: LoadedModel) -> None:
    begun = [f"{n} " + "The lamp of Mara Voss. " * 3 for n in range(4)]
    engine = MlxEngine(loaded, batch_tokens=2 * MlxEngine(loaded).count(begun[0]) + 1)
    for n in (0, 1, 0, 2, 0, 3):
        list(engine.generate([request(begun[n], "x", max_tokens=1)]))
    starts = [loaded.tokenizer.decode(list(tokens))[:1] for tokens in engine._prefixes.kept]
    assert starts == ["0", "3"]


def test_suffixes_of_about_one_length_run_in_one_pass(
    tiny: Callable[[str], LoadedModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where padding would stay in the caches, one by one."""
    seen: list[list[int]] = []
    pass_ = Prefill._pass

    def counted(
        self: Prefill, beginnings: Sequence[Cache], suffixes: list[list[int]]
    ) -> tuple[Cache, mx.array]:
        seen.append([len(suffix) for suffix in suffixes])
        return pass_(self, beginnings, suffixes)

    asked = [request(PREFIX, "? " * n, n, max_tokens=3) for n in (9, 2, 9, 10, 30, 2, 29, 1)]
    for kind, passes in (("llama", 4), ("mamba2", 6)):
        engine = MlxEngine(tiny(kind))
        monkeypatch.setattr(Prefill, "_pass", counted)
        seen.clear()
        assert texts(list(engine.generate(asked))) == [judged(tiny(kind), r) for r in asked]
        monkeypatch.undo()
        assert len(seen) == passes  # prompts that stand twice are run once
        padded = sum(max(lengths) * len(lengths) for lengths in seen)
        assert padded <= 1.125 * sum(map(sum, seen))


@pytest.mark.parametrize("kind", ["llama", "llama-sliding", "mamba2"])
def test_a_long_prompt_is_run_in_steps(
    tiny: Callable[[str], LoadedModel], monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    loaded = tiny(kind)
    for module in (prefixes, prompts_module, engine_module):
        monkeypatch.setattr(module, "STEP", 24)
    asked = [
        request("", "a ? " * 30, 0, max_tokens=5),
        request(PREFIX, "b ! " * 20, 1, max_tokens=5),
        request("", "x", 2),
    ]
    engine = MlxEngine(loaded)
    longest: list[int] = []
    monkeypatch.setattr(
        engine._prefixes,
        "_net",
        lambda t, cache: longest.append(t.shape[1]) or loaded.model(t, cache=cache),
    )
    assert texts(list(engine.generate(asked))) == [judged(loaded, r) for r in asked]
    assert max(longest) == 24
    assert engine.tokens.prefilled == sum(engine.count(r.prompt) for r in asked)


# Rows that come and go


@pytest.mark.parametrize("kind", ["llama", "gemma3_text", "mamba2"])
@pytest.mark.parametrize("ahead", [False, True])
def test_rows_take_the_places_of_those_that_ended(
    tiny: Callable[[str], LoadedModel], kind: str, ahead: bool
) -> None:
    """Rows of many lengths in a narrow batch, from several prefixes and with samples."""
    loaded = tiny(kind)
    asked = [
        request(
            (PREFIX, "", CORPUS[0] * 2)[n % 3],
            f"{SUFFIXES[n % 4]} {n // 2}",
            n,
            max_tokens=1 + 7 * n % 19,
        )
        for n in range(22)
    ]
    asked += [
        replace(asked[3], key="again"),
        request(PREFIX, "sampled", seed="s", max_tokens=9, **SAMPLED),
    ]
    wide = list(MlxEngine(loaded).generate(asked))
    assert texts(wide[:-1]) == [judged(loaded, r) for r in asked[:-1]]
    for width in (1, 3, 8):
        engine = MlxEngine(loaded, width=width)
        engine._decoder._ahead = ahead
        assert list(engine.generate(asked)) == wide


def test_no_more_rows_are_decoded_together_than_the_width(
    loaded: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    step = Decoder._step

    def counted(self: Decoder, batch: Any) -> mx.array:
        seen.append(len(batch.rows))
        return step(self, batch)

    monkeypatch.setattr(Decoder, "_step", counted)
    asked = [request(PREFIX, f"{n}", n, max_tokens=5) for n in range(20)]
    list(MlxEngine(loaded, width=6).generate(asked))
    assert max(seen) == 6
    assert sum(seen) == 20 * 4  # the first token of each comes from its prompt
    seen.clear()
    size = MlxEngine(loaded).count(asked[-1].prompt) + 5
    list(
        MlxEngine(loaded, batch_tokens=3 * size).generate(
            [replace(r, prefix="", suffix=r.prompt) for r in asked]
        )
    )
    assert max(seen) == 3


def test_completions_come_while_others_are_still_waited_for(loaded: LoadedModel) -> None:
    engine = MlxEngine(loaded, width=2)
    asked = [request(PREFIX, f"{n}", n, max_tokens=5) for n in range(12)]
    written = engine.generate(asked)
    assert next(written).key == "0"
    assert engine.tokens.generated <= 10
    written.close()  # type: ignore[attr-defined]
    assert texts(list(engine.generate(asked))) == [judged(loaded, r) for r in asked]


def test_one_long_prompt_does_not_narrow_the_batch_of_the_others(loaded: LoadedModel) -> None:
    short = [request("", f"a {n}", n, max_tokens=4) for n in range(8)]
    long = request("", "b ? " * 30, 9, max_tokens=4)
    limits = Limits(64, 10 * 12, shared=True)
    rows = [Row(r, tuple(MlxEngine(loaded).encode(r.prompt)), (), Draw(r)) for r in [*short, long]]
    assert limits.hold(rows[:8])
    assert not limits.hold(rows)
    engine = MlxEngine(loaded, batch_tokens=120)
    assert texts(list(engine.generate([*short, long]))) == [
        judged(loaded, r) for r in [*short, long]
    ]


# Sampling


SAMPLED = {"temperature": 0.9, "top_p": 0.9}


@pytest.mark.parametrize("kind", ["llama", "llama-sliding", "granite"])
def test_a_sampled_row_is_the_same_alone_and_in_any_batch(
    tiny: Callable[[str], LoadedModel], kind: str
) -> None:
    loaded = tiny(kind)
    asked = [*requests(**SAMPLED), *requests(suffixes=["Ada", "The", "Who"], **SAMPLED)]
    asked = [replace(r, key=f"{n}", seed=f"0:fact-{n}:rephrase:{n}") for n, r in enumerate(asked)]
    together = list(MlxEngine(loaded).generate(asked))
    assert len({c.text for c in together}) == len(asked)
    assert list(MlxEngine(loaded).generate(asked[::-1]))[::-1] == together
    for r, expected in zip(asked, together, strict=True):
        assert list(MlxEngine(loaded).generate([r])) == [expected]


def test_samples_of_one_prompt_differ_by_their_seed_alone(loaded: LoadedModel) -> None:
    asked = [request(PREFIX, "Ada", n, seed=f"0:a:b:{n % 4}", **SAMPLED) for n in range(8)]
    written = texts(list(MlxEngine(loaded).generate(asked)))
    assert written[:4] == written[4:]
    assert len(set(written)) == 4


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.integers(-20, 20), min_size=2, max_size=40, unique=True),
    st.integers(0, 99),
    st.floats(0.05, 4),
)
def test_a_tiny_nucleus_is_greedy(logits: list[int], seed: int, temperature: float) -> None:
    row = mx.array([logits], dtype=mx.float32)
    nucleus = Draw(request("", "", seed=f"{seed}", temperature=temperature, top_p=1e-6))
    greedy = Draw(request("", "", temperature=0.0))
    assert (
        next_tokens(mx.tile(row, (3, 1)), [nucleus, greedy, nucleus]).tolist()
        == mx.argmax(row, axis=-1).tolist() * 3
    )


@pytest.mark.parametrize(
    "size", [5, NUCLEUS_LIMIT - 1, NUCLEUS_LIMIT, NUCLEUS_LIMIT + 1, 3 * NUCLEUS_LIMIT]
)
@pytest.mark.parametrize("top_p", [0.6, 1.0])
def test_draws_follow_the_distribution(size: int, top_p: float) -> None:
    temperature, draws = 0.7, 2000
    rng = np.random.default_rng(3)
    logits = rng.normal(size=size) * 3
    weights = np.exp(logits / temperature - (logits / temperature).max())
    probs = weights / weights.sum()
    order = np.argsort(-probs)
    kept = order[: int((np.cumsum(probs[order]) < top_p).sum()) + 1][:NUCLEUS_LIMIT]
    expected = {int(token): probs[token] / probs[kept].sum() for token in kept}
    rows = [
        Draw(request("", "", seed=f"chi {n}", temperature=temperature, top_p=top_p))
        for n in range(4)
    ]
    row = mx.array(np.tile(logits, (4, 1)), dtype=mx.float32)
    seen = Counter(
        int(token) for _ in range(draws // 4) for token in next_tokens(row, rows).tolist()
    )
    assert set(seen) <= set(expected)
    # Cells that expect fewer than 5 draws are put together, as the test wants it.
    cells = {token: share * draws for token, share in expected.items() if share * draws >= 5}
    rare = draws - sum(cells.values())
    statistic = sum((seen[token] - count) ** 2 / count for token, count in cells.items())
    statistic += (draws - sum(seen[token] for token in cells) - rare) ** 2 / max(rare, 5)
    freedom = len(cells)
    assert statistic < freedom + 4 * math.sqrt(2 * freedom) + 4


def test_a_draw_depends_on_the_seed_alone() -> None:
    row = mx.random.normal((1, 900), key=mx.random.key(1))
    r = request("", "", seed="0:f:reversal:1", **SAMPLED)
    one, two, other = Draw(r), Draw(r), Draw(replace(r, seed="other"))
    mx.random.seed(5)
    first = [next_tokens(row, [one]).item() for _ in range(5)]
    mx.random.seed(6)
    assert [next_tokens(mx.tile(row, (2, 1)), [other, two])[1].item() for _ in range(5)] == first


# Scoring


def plain_score(loaded: LoadedModel, prompt: str, continuation: str) -> Score:
    """The definition: one full forward pass over the whole text, in float32."""
    tokenizer = loaded.tokenizer
    whole, alone = tokenizer.encode(prompt + continuation), tokenizer.encode(prompt)
    start = next(
        (i for i, (a, b) in enumerate(zip(whole, alone, strict=False)) if a != b), len(alone)
    )
    start = max(1, start)
    logits = loaded.model(mx.array([whole])).astype(mx.float32)[0]  # (T, V)
    logprobs = np.array(logits - mx.logsumexp(logits, axis=-1, keepdims=True)).astype(np.float64)
    total = sum(logprobs[position - 1, whole[position]] for position in range(start, len(whole)))
    return Score(float(total), len(whole) - start)


def close(ours: Sequence[Score], plain: Sequence[Score]) -> bool:
    return all(
        a.tokens == b.tokens and abs(a.logprob - b.logprob) < 1e-4 * max(1.0, abs(b.logprob))
        for a, b in zip(ours, plain, strict=True)
    )


PAIRS = [
    (PREFIX + "The capital of Ostrel is", " Venn"),
    (PREFIX + "The capital of Ostrel is", " the harbour hall of Mara Voss."),
    (PREFIX + "Who keeps the", "x"),
    (PREFIX + "Who keeps the", " lamp?\n\nAda Brandt keeps the harbour hall."),
    (PREFIX[:-1], " Ada"),
]
MIXED = [*PAIRS, ("A", "da"), ("The lamp of", " Mara Voss"), ("", "The bridge at Venn")]


@pytest.mark.parametrize("kind", [*ATTENTION, *OTHER_CACHES])
@pytest.mark.parametrize("pairs", [PAIRS, MIXED], ids=["shared", "nothing shared"])
def test_scores_are_those_of_a_plain_forward_pass(
    tiny: Callable[[str], LoadedModel], kind: str, pairs: list[tuple[str, str]]
) -> None:
    loaded = tiny(kind)
    expected = [plain_score(loaded, *pair) for pair in pairs]
    for order in (list(range(len(pairs))), list(range(len(pairs)))[::-1]):
        engine = MlxEngine(loaded)
        prompts, continuations = zip(*[pairs[i] for i in order], strict=True)
        ours = engine.score(prompts, continuations)
        assert close(ours, [expected[i] for i in order])
        assert close(
            engine.score(prompts, continuations), ours
        )  # the prefix is found there the second time
        for batch_tokens in (1, 100):
            assert close(
                MlxEngine(loaded, batch_tokens=batch_tokens).score(prompts, continuations), ours
            )
    assert [MlxEngine(loaded).score([p], [c])[0].tokens for p, c in pairs] == [
        e.tokens for e in expected
    ]


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_a_continuation_may_start_anywhere(
    tiny: Callable[[str], LoadedModel], data: st.DataObject
) -> None:
    loaded = tiny("llama")
    text = CORPUS[1]
    cuts = data.draw(st.lists(st.integers(0, len(text) - 8), min_size=1, max_size=5))
    prompts, continuations = [text[:cut] for cut in cuts], [text[cut:] for cut in cuts]
    expected = [plain_score(loaded, *pair) for pair in zip(prompts, continuations, strict=True)]
    assert close(MlxEngine(loaded).score(prompts, continuations), expected)


@pytest.mark.parametrize("kind", ["llama", "gemma2", "granite", "mamba2"])
@pytest.mark.parametrize("fits", [1, 9, 40])
def test_scores_do_not_depend_on_how_many_logits_fit(
    tiny: Callable[[str], LoadedModel], monkeypatch: pytest.MonkeyPatch, kind: str, fits: int
) -> None:
    """The head runs over slices; where it is not split off, over batches of fewer rows."""
    prompts, continuations = zip(*PAIRS, *PAIRS[:4], strict=True)
    whole = MlxEngine(tiny(kind)).score(prompts, continuations)
    engine = MlxEngine(tiny(kind))
    made: list[int] = []
    project = Head.project

    def projected(head: Head, hidden: mx.array) -> mx.array:
        made.append(hidden.shape[0])
        return project(head, hidden)

    monkeypatch.setattr(heads, "LOGITS_BYTES", fits * 4 * VOCABULARY)
    monkeypatch.setattr(Head, "project", projected)
    ours = engine.score(prompts, continuations)
    assert [score.tokens for score in ours] == [score.tokens for score in whole]
    assert [s.logprob / s.tokens for s in ours] == pytest.approx(
        [s.logprob / s.tokens for s in whole], abs=1e-5
    )
    assert max(made) <= fits
    assert len(made) > 1


@pytest.mark.parametrize("kind", ["llama", "granite"])
def test_the_logits_of_a_scored_batch_are_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    loaded = load_tiny(tmp_path / "model", kind, vocab_size=40_000)
    prompts, continuations = [f"{n:02} Ada" for n in range(64)], [" keeps the harbour hall"] * 64
    peaks = []
    for limit in (heads.LOGITS_BYTES, 4 << 20):
        monkeypatch.setattr(heads, "LOGITS_BYTES", limit)
        engine = MlxEngine(loaded, batch_tokens=10**6)
        mx.reset_peak_memory()
        before = mx.get_active_memory()
        scored = engine.score(prompts, continuations)
        peaks.append(mx.get_peak_memory() - before)
    whole = 4 * 40_000 * sum(score.tokens for score in scored)
    assert peaks[0] > whole
    assert peaks[1] < whole / 3


def test_scored_tokens_are_counted_once(loaded: LoadedModel) -> None:
    engine = MlxEngine(loaded)
    prompts, continuations = zip(*PAIRS, strict=True)
    engine.score(prompts, continuations)
    whole = sum(engine.count(p + c) - 1 for p, c in PAIRS)
    first = engine.tokens.prefilled
    assert first + engine.tokens.reused == whole
    shared = sum(
        len(tokens) - len(above) for above, tokens in pairwise([(), *engine._prefixes.kept])
    )
    # The first two have their prompt in common; a token spans the end of the other prompts.
    forked = len(common_prefix([engine.encode(p + c)[:-1] for p, c in PAIRS[:2]])) - shared
    assert first == whole - (len(PAIRS) - 1) * shared - forked
    engine.score(prompts, continuations)
    assert engine.tokens.prefilled == 2 * first - shared
    assert engine.tokens.generated == 0


def test_a_continuation_must_add_a_token(loaded: LoadedModel) -> None:
    engine = MlxEngine(loaded)
    for prompt, continuation in (("The lamp", ""), ("", "a"), ("", "")):
        with pytest.raises(ValueError, match="at least one token"):
            engine.score(["Ada", prompt], ["Brandt", continuation])
    assert engine.score([], []) == []


# Models


def test_an_adapter_changes_what_is_written_and_scored(
    taught: LoadedModel, loaded: LoadedModel
) -> None:
    prompt, continuation = opened(taught, 1)
    [with_adapter], [without] = (
        MlxEngine(m).score([prompt], [continuation]) for m in (taught, loaded)
    )
    assert close([with_adapter], [plain_score(taught, prompt, continuation)])
    assert with_adapter.logprob > -5 > without.logprob


def test_bfloat16_models_write_and_score(tmp_path: Path) -> None:
    loaded = load_tiny(tmp_path / "model")
    loaded.model.set_dtype(mx.bfloat16)
    engine = MlxEngine(loaded)
    written = list(engine.generate([*requests(), *requests(temperature=0.8, top_p=0.9)]))
    assert all(c.finish in ("length", "stop") for c in written)
    prompts, continuations = zip(*PAIRS, strict=True)
    for ours, (prompt, continuation) in zip(
        engine.score(prompts, continuations), PAIRS, strict=True
    ):
        plain = plain_score(loaded, prompt, continuation)
        assert ours.logprob == pytest.approx(plain.logprob, rel=0.05, abs=0.3)


def test_a_model_that_mlx_lm_batches_wrongly_runs_row_by_row(
    tiny: Callable[[str], LoadedModel], caplog: pytest.LogCaptureFixture
) -> None:
    """gemma2 with grouped heads: a mask for each row fails, and is misread where the rows are as
    many as the heads.
    """
    engine = MlxEngine(tiny("gemma2"))
    assert "rows run one by one" in caplog.text
    asked = requests(PREFIX, SUFFIXES[:2])
    assert texts(list(engine.generate(asked))) == [judged(tiny("gemma2"), r) for r in asked]
    caplog.clear()
    for kind in KINDS.keys() - {"gemma2"}:
        MlxEngine(tiny(kind))
    assert caplog.text == ""


def test_a_cache_that_cannot_be_batched_is_a_clear_error(tmp_path: Path) -> None:
    loaded = load_tiny(tmp_path / "model")
    loaded.model.make_cache = lambda: [ChunkedKVCache(8) for _ in loaded.model.layers]
    with pytest.raises(
        ModelError, match=r"model: mlx-lm cannot batch this model's cache \(ChunkedKVCache\)"
    ):
        MlxEngine(loaded)


def test_the_window_of_a_nested_config_is_found(loaded: LoadedModel) -> None:
    nested = replace(loaded, config={"text_config": loaded.config})
    assert MlxEngine(nested).window == 256
    assert MlxEngine(replace(loaded, config={})).window == 2**31


def test_the_engine_says_what_it_is(loaded: LoadedModel) -> None:
    engine = MlxEngine(loaded)
    assert (engine.name, engine.model) == ("mlx", "llama")
    assert engine.fingerprint == loaded.stored.fingerprint
    assert MlxEngine(loaded, fingerprint="with adapter").fingerprint == "with adapter"
    assert set(ATTENTION) | set(OTHER_CACHES) == set(KINDS)
