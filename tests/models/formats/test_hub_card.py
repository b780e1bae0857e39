"""The head of a model card, which somebody else wrote by hand."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from augmlx.models.formats.hub_card import first_value, read_head


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a card is read, and nobody is asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def write_card(folder: Path, text: str) -> Path:
    (folder / "README.md").write_text(text)
    return folder


def test_values_are_read_and_of_a_list_the_first(tmp_path: Path) -> None:
    text = "---\nlicense: apache-2.0\nbase_model:\n- org/One\n- org/Two\nversion: 1.5\n---\n# A\n"
    head = read_head(write_card(tmp_path, text))
    keys = ("license", "base_model", "version", "language")
    assert [first_value(head, key) for key in keys] == ["apache-2.0", "org/One", "1.5", None]


@pytest.mark.parametrize(
    "text",
    ["", "# No head\n", "---\n---\n", "---\n- a list\n---\n", "---\nlicense: [mit\n---\n", "---\n"],
)
def test_a_card_without_a_readable_head_says_nothing(tmp_path: Path, text: str) -> None:
    assert read_head(write_card(tmp_path, text)) == {}


def test_a_folder_without_a_card_says_nothing(tmp_path: Path) -> None:
    assert read_head(tmp_path) == {}
