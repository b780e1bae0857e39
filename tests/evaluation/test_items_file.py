"""items.jsonl: the items of an evaluation survive the disk."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from augmlx.core.records import EvalItem
from augmlx.evaluation import results

text = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
texts = st.lists(text, max_size=3).map(tuple)
items = st.builds(EvalItem, text, text, text, text, texts, texts, texts)


@given(st.lists(items, max_size=4))
def test_items_come_back_as_they_were(written: list[EvalItem]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        results.write(Path(folder), written, [])
        assert results.read_items(Path(folder)) == written


def test_optional_lists_may_be_missing(tmp_path: Path) -> None:
    row = '{"id": "i", "kind": "k", "prompt": "p", "answer": "a", "choices": ["a", "b"]}'
    (tmp_path / results.ITEMS).write_text(f"{row}\n")
    (item,) = results.read_items(tmp_path)
    assert (item.choices, item.aliases, item.fact_ids) == (("a", "b"), (), ())
