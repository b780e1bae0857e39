"""Records survive the disk, and a fingerprint depends on the value alone."""

from __future__ import annotations

import dataclasses
import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augmlx.core.records import (
    Example,
    Fact,
    Origin,
    canonical,
    example_from_json,
    fact_from_json,
    fingerprint,
    origin_from_json,
    short_id,
    to_json,
)

text = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
texts = st.lists(text, max_size=3).map(tuple)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=8,
)
rows = st.none() | st.dictionaries(text, values, max_size=3)
origins = st.builds(Origin, texts, text, text, text, st.integers(), st.integers(), text)
facts = st.builds(Fact, text, text, text, st.none() | text, rows)
examples = st.builds(Example, text, text, origins)


def through_disk(record: Any) -> Any:
    return json.loads(json.dumps(to_json(record), ensure_ascii=False).encode())


@given(facts, origins, examples)
def test_a_record_comes_back_from_json_as_it_was(
    fact: Fact, origin: Origin, example: Example
) -> None:
    assert fact_from_json(through_disk(fact)) == fact
    assert origin_from_json(through_disk(origin)) == origin
    assert example_from_json(through_disk(example)) == example


@given(facts)
def test_json_keeps_the_order_of_the_fields_and_leaves_out_none(fact: Fact) -> None:
    value = to_json(fact)
    names = [field.name for field in dataclasses.fields(Fact)]
    assert list(value) == [name for name in names if getattr(fact, name) is not None]
    if fact.row is not None:
        assert value["row"] == fact.row  # None inside a row of the user's is kept


def test_a_record_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Fact("f", "x", "a.csv:2").text = "y"  # type: ignore[misc]


def shuffled(value: Any, rng: random.Random) -> Any:
    if isinstance(value, dict):
        keys = list(value)
        rng.shuffle(keys)
        return {key: shuffled(value[key], rng) for key in keys}
    return [shuffled(item, rng) for item in value] if isinstance(value, list) else value


@given(values, st.randoms(use_true_random=False))
def test_a_fingerprint_does_not_depend_on_the_order_of_keys(value: Any, rng: random.Random) -> None:
    assert fingerprint(shuffled(value, rng)) == fingerprint(value)
    assert json.loads(canonical(value)) == value


def test_a_fingerprint_is_the_same_in_every_process_and_version() -> None:
    assert canonical({"b": [1, "é"], "a": None}) == '{"a":null,"b":[1,"é"]}'.encode()
    assert (
        fingerprint({"b": 1}) == "eb8ed3ccb5023093b56f490a46501e88d09736687e609fdbc1c71b3df8b9ccd3"
    )
    assert fingerprint((1, 2)) == fingerprint([1, 2])


def test_short_ids_tell_their_parts_apart() -> None:
    ids = [
        short_id("ab", "c"),
        short_id("a", "bc"),
        short_id("abc"),
        short_id("a", "b", "c"),
        short_id(["a", "bc"]),
    ]
    assert len(set(ids)) == len(ids)
    assert all(len(key) == 12 for key in ids)


def test_facts_with_a_row_may_stand_in_a_set() -> None:
    first, second = (
        Fact("f", "x", "a.csv:2", None, {"n": [1]}),
        Fact("f", "x", "a.csv:2", None, {"n": [2]}),
    )
    assert len({first, second, first}) == 2
