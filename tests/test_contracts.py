"""What augmlx relies on in mlx and mlx-lm beyond their public interface, one test for each thing.

A failure here after an upgrade says what changed; the modules that use it stand in each test's name
or text.
"""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path

import pytest
from tiny import KINDS, load_tiny, write_model

from augmlx.models.loading import LoadedModel

import mlx.core as mx  # isort: skip
import mlx.nn as nn  # isort: skip
import mlx.optimizers as optim  # isort: skip
import mlx_lm  # isort: skip
from mlx.utils import tree_flatten, tree_unflatten  # isort: skip
from mlx_lm.models import base, llama  # isort: skip
from mlx_lm.models.cache import BatchKVCache, KVCache, RotatingKVCache, make_prompt_cache  # isort: skip
from mlx_lm.tuner.lora import LoRALinear  # isort: skip
from mlx_lm.utils import maybe_set_recommended_wired_limit  # isort: skip
from mlx_lm.tuner.utils import linear_to_lora_layers  # isort: skip


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    return load_tiny(tmp_path_factory.mktemp("model") / "model")


# models/attention_hook.py, engines/mlx/prefill.py, decoding.py: batch caches


def test_attention_is_called_by_its_name_with_the_arguments_we_take() -> None:
    """models/attention_hook.py stands in for it in the modules of the models."""
    taken = inspect.signature(base.scaled_dot_product_attention).parameters
    assert list(taken) == ["queries", "keys", "values", "cache", "scale", "mask", "sinks"]
    assert "scaled_dot_product_attention(" in inspect.getsource(llama.Attention.__call__)


def filled(lengths: list[int], longest: int) -> BatchKVCache:
    """Rows of ones, padded on the right with nines, that become rows padded on the left."""
    cache = BatchKVCache([0] * len(lengths))
    cache.prepare(lengths=lengths, right_padding=[longest - length for length in lengths])
    padded = [[1.0] * length + [9.0] * (longest - length) for length in lengths]
    rows = mx.array(padded)[:, None, :, None]  # (B, 1, T, 1)
    cache.update_and_fetch(rows, rows)
    cache.finalize()
    return cache


def seen(cache: BatchKVCache) -> list[list[float]]:
    """What each row's next token would see."""
    masks = cache.make_mask(1, return_array=False)[:, 0, 0, :-1].tolist()  # (B, T)
    keys = cache.keys_and_values()[0][:, 0, :, 0].tolist()  # (B, T)
    rows = []
    for row_keys, row_mask in zip(keys, masks, strict=True):
        rows.append([key for key, visible in zip(row_keys, row_mask, strict=True) if visible])
    return rows


def test_a_batch_cache_padded_on_the_right_is_finalized_to_rows_of_their_own_length() -> None:
    cache = filled([3, 1, 2], 3)
    assert cache.offset.tolist() == [3, 1, 2]
    assert seen(cache) == [[1.0] * 3, [1.0], [1.0] * 2]


def test_rows_of_a_batch_cache_are_taken_out_doubled_and_added() -> None:
    cache = filled([3, 1, 2], 3)
    cache.filter([1, 1, 2])
    assert cache.offset.tolist() == [1, 1, 2]
    cache.extend(filled([5], 5))
    assert cache.offset.tolist() == [1, 1, 2, 5]
    assert seen(cache) == [[1.0], [1.0], [1.0] * 2, [1.0] * 5]


def test_the_room_of_a_batch_cache_grows_by_its_step() -> None:
    class Small(BatchKVCache):  # type: ignore[misc]
        step = 8

    cache = Small([0])
    cache.update_and_fetch(mx.ones((1, 1, 9, 1)), mx.ones((1, 1, 9, 1)))
    assert cache.keys.shape[2] == 16


def test_caches_are_merged_as_copies(loaded: LoadedModel) -> None:
    cache = make_prompt_cache(loaded.model)
    loaded.model(mx.array([[5, 6, 7]]), cache=cache)
    before = [mx.array(layer.keys[..., : layer.offset, :]) for layer in cache]
    merged = [type(layer).merge([layer, layer]) for layer in cache]
    alone = loaded.model(mx.array([[5, 6, 7, 8]]))[:, -1]
    together = loaded.model(mx.array([[8], [8]]), cache=merged)[:, -1]
    assert mx.allclose(together, mx.concatenate([alone, alone]), atol=1e-4)
    assert [layer.offset for layer in cache] == [3, 3]
    assert all(
        mx.array_equal(layer.keys[..., :3, :], b) for layer, b in zip(cache, before, strict=True)
    )


def test_the_wired_limit_is_set_on_a_gpu_alone() -> None:
    was = maybe_set_recommended_wired_limit()
    assert (was is None) == (not mx.metal.is_available())
    if was is not None:
        mx.set_wired_limit(was)


def test_stream_generate_hands_over_tokens(loaded: LoadedModel) -> None:
    responses = list(mlx_lm.stream_generate(loaded.model, loaded.tokenizer, "Ada", max_tokens=3))
    assert all(isinstance(response.token, int) for response in responses)


# engines/mlx/prefixes.py: caches


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_cache_we_meet_merges_and_has_state_and_size(tmp_path: Path, kind: str) -> None:
    model = load_tiny(tmp_path / "model", kind).model
    cache = make_prompt_cache(model)
    model(mx.array([[0]]), cache=cache)
    assert isinstance(cache, list)
    for layer in cache:
        mx.eval(layer.state)
        assert layer.nbytes > 0
        merged = type(layer).merge([layer, layer, layer])
        assert merged.nbytes >= 3 * (layer.nbytes // 256)


def test_a_merged_cache_continues_each_row_where_its_own_stopped(loaded: LoadedModel) -> None:
    rows = [[5, 6, 7, 8], [9]]
    caches = [make_prompt_cache(loaded.model) for _ in rows]
    for row, cache in zip(rows, caches, strict=True):
        loaded.model(mx.array([row]), cache=cache)
    merged = [type(layers[0]).merge(list(layers)) for layers in zip(*caches, strict=True)]
    together = loaded.model(mx.array([[3], [3]]), cache=merged)[:, -1]
    for index, row in enumerate(rows):
        assert mx.allclose(together[index], loaded.model(mx.array([[*row, 3]]))[0, -1], atol=1e-4)


def test_a_kv_cache_allocates_in_steps_of_256_and_is_changed_in_place() -> None:
    cache = KVCache()
    cache.update_and_fetch(mx.ones((1, 2, 3, 4)), mx.ones((1, 2, 3, 4)))
    assert KVCache.step == 256
    assert cache.nbytes == 2 * 2 * 256 * 4 * 4
    assert cache.size() == cache.offset == 3
    assert RotatingKVCache(max_size=8).max_size == 8


# models/heads.py


def test_the_bodys_parts_have_their_names(loaded: LoadedModel) -> None:
    model = loaded.model
    assert "model" in model
    assert "lm_head" not in model
    assert callable(model.model.embed_tokens.as_linear)
    assert model.model(mx.array([[1, 2]]), cache=None).shape == (1, 2, 32)


def test_the_mode_of_training_reaches_every_module(loaded: LoadedModel) -> None:
    loaded.model.train()
    assert all(module.training for _, module in loaded.model.named_modules())
    loaded.model.train(False)
    assert not any(module.training for _, module in loaded.model.named_modules())


# training/adapter.py


def test_linear_to_lora_layers_converts_the_last_layers_by_path_and_ignores_unknown_keys(
    tmp_path: Path,
) -> None:
    model = load_tiny(tmp_path / "model").model
    parameters = {
        "rank": 3,
        "scale": 2.0,
        "dropout": 0.25,
        "keys": ["self_attn.q_proj", "nonsense"],
    }
    model.freeze()
    linear_to_lora_layers(model, 1, parameters)
    made = [path for path, module in model.named_modules() if isinstance(module, LoRALinear)]
    assert made == ["model.layers.1.self_attn.q_proj"]
    layer = model.layers[1].self_attn.q_proj
    assert (layer.lora_a.shape, layer.lora_b.shape, layer.scale) == ((32, 3), (3, 32), 2.0)
    assert layer.lora_a.dtype == layer.lora_b.dtype == mx.float32
    assert layer.training  # new layers are in training mode: heads.py must not meet their dropout
    assert sorted(dict(tree_flatten(model.trainable_parameters()))) == [
        f"{made[0]}.lora_a",
        f"{made[0]}.lora_b",
    ]


def test_load_reads_an_adapter_folder_and_refuses_one_that_does_not_fit(tmp_path: Path) -> None:
    stored = write_model(tmp_path / "model")
    folder = tmp_path / "adapter"
    folder.mkdir()
    keys = ["self_attn.q_proj"]
    config = {
        "fine_tune_type": "lora",
        "num_layers": 1,
        "lora_parameters": {"rank": 2, "scale": 3.0, "dropout": 0.0, "keys": keys},
        "augmlx": {"anything": "of ours is let through"},
    }
    (folder / "adapter_config.json").write_text(json.dumps(config))
    name = "model.layers.1.self_attn.q_proj"
    weights = {f"{name}.lora_a": mx.ones((32, 2)), f"{name}.lora_b": mx.ones((2, 32))}
    mx.save_safetensors(str(folder / "adapters.safetensors"), weights)
    model, _, read = mlx_lm.load(str(stored.path), adapter_path=str(folder), return_config=True)
    assert read["model_type"] == "llama"
    x = mx.ones((1, 32))
    layer = model.layers[1].self_attn.q_proj
    assert mx.allclose(
        layer(x),
        layer.linear(x) + 3.0 * (x @ weights[f"{name}.lora_a"]) @ weights[f"{name}.lora_b"],
    )
    mx.save_safetensors(str(folder / "adapters.safetensors"), {f"{name}.lora_a": mx.ones((32, 5))})
    with pytest.raises(ValueError, match="incompatible"):
        mlx_lm.load(str(stored.path), adapter_path=str(folder))


# The tokenizer's wrapper


def test_the_tokenizers_wrapper_has_what_we_use(loaded: LoadedModel) -> None:
    tokenizer = loaded.tokenizer
    ids = tokenizer.encode("Ada Brandt", add_special_tokens=True)
    assert tokenizer.decode(ids, clean_up_tokenization_spaces=False) == "Ada Brandt"
    assert tokenizer.batch_decode([[token] for token in ids]) == [
        tokenizer.decode([token]) for token in ids
    ]
    assert (tokenizer.eos_token_id, tokenizer.eos_token_ids, tokenizer.bos_token) == (0, {0}, "<s>")
    assert len(set(tokenizer.get_vocab().values())) <= 384


# training/checkpoint.py: optimizers, trees and files


def test_an_optimizers_state_may_be_set_from_a_tree_of_its_own_arrays() -> None:
    def stepped(optimizer: optim.Adam, model: nn.Module) -> dict[str, mx.array]:
        optimizer.update(model, {"weight": mx.full((3, 4), 0.5)})
        mx.eval(model.parameters(), optimizer.state)
        return dict(tree_flatten({"o": optimizer.state, "m": model.parameters()}))

    model, optimizer = (
        nn.Linear(4, 3, bias=False),
        optim.Adam(learning_rate=0.1, bias_correction=True),
    )
    optimizer.init(model.trainable_parameters())
    stepped(optimizer, model)
    kept = {name: mx.array(value) for name, value in tree_flatten(optimizer.state)}
    weight = mx.array(model.weight)
    assert sorted(kept) == ["learning_rate", "step", "weight.m", "weight.v"]
    expected = stepped(optimizer, model)
    other = optim.Adam(learning_rate=0.7, bias_correction=True)
    other.state = tree_unflatten(list(kept.items()))
    model.weight = weight
    again = stepped(other, model)
    assert all(mx.array_equal(again[name], expected[name]) for name in expected)


def test_a_failed_write_and_a_cut_file_are_runtime_errors(tmp_path: Path) -> None:
    (tmp_path / "full.safetensors").symlink_to("/dev/full")
    if Path("/dev/full").exists():
        with pytest.raises(RuntimeError):
            mx.save_safetensors(str(tmp_path / "full.safetensors"), {"a": mx.ones(10)})
    good = tmp_path / "good.safetensors"
    mx.save_safetensors(str(good), {"a": mx.ones(10)})
    good.write_bytes(good.read_bytes()[:-1])
    with pytest.raises(RuntimeError):
        mx.load(str(good))
    with pytest.raises(RuntimeError):
        mx.load(str(tmp_path / "missing.safetensors"))


def test_global_draws_follow_the_seed() -> None:
    mx.random.seed(2**48 - 1)  # as wide as training seeds its steps
    first = mx.random.uniform(shape=(4,)).tolist()
    mx.random.seed(2**48 - 1)
    assert mx.random.uniform(shape=(4,)).tolist() == first


# engines/serving/server.py: mlx_lm.server with models of our own


def test_the_server_asks_its_provider_for_a_model_and_its_handler_for_what_to_say() -> None:
    from mlx_lm import server

    assert list(inspect.signature(server.ModelProvider.load).parameters) == [
        "self",
        "model_path",
        "adapter_path",
        "draft_model_path",
    ]
    assert list(inspect.signature(server.ResponseGenerator).parameters) == [
        "model_provider",
        "prompt_cache",
    ]
    for name in ("do_GET", "do_POST", "do_OPTIONS", "handle_models_request"):
        assert callable(getattr(server.APIHandler, name))
    assert "_inline_image_urls" in inspect.getsource(server.APIHandler.handle_chat_completions)
    parts = [{"type": "image_url", "image_url": {"url": "http://x.test/a"}}]
    assert list(server._image_parts([{"role": "user", "content": parts}])) == parts


def test_the_arguments_of_the_server_are_those_that_it_reads() -> None:
    from mlx_lm import server

    from augmlx.engines.serving.server import _ARGUMENTS

    read = set(re.findall(r"cli_args\.(\w+)", inspect.getsource(server)))
    assert read == set(_ARGUMENTS)
