from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Any

import pytest
import yaml

from augmlx.exporting.card import About, model_card, with_proof
from augmlx.exporting.export_folder import MARK
from augmlx.exporting.forms import Form

from .support import spec_of


class Yaml12(yaml.SafeLoader):
    """Reads 1e5 as a number, as YAML 1.2 has it, and mlx-lm for all who load YAML behind it."""


Yaml12.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9]+[eE][-+]?[0-9]+"), list("-+0123456789")
)


def head(card: str) -> Any:
    """What the YAML at the head of a card says."""
    _, text, _ = card.split("---\n", maxsplit=2)
    return yaml.load(text, Loader=Yaml12)


@pytest.mark.parametrize("base", ["org/tiny", "123", "1e5", "no", "null", "2024-05-01", "a.b-c_d"])
def test_the_head_says_what_the_hub_looks_for_whatever_the_base_is_called(base: str) -> None:
    assert head(model_card(spec_of(kind="dora"), base, {4: 8})) == {
        "base_model": base,
        "base_model_relation": "adapter",
        "library_name": "peft",
        "pipeline_tag": "text-generation",
        "tags": ["dora", "augmlx", "mlx"],
    }


@pytest.mark.parametrize("form", ["peft", "fused", "gguf", "gguf-lora"])
def test_a_proof_takes_the_place_of_an_earlier_one(form: Form) -> None:
    about = About(license="apache-2.0", made="\n## How\n", evaluation="\n## Evaluation\n")
    card = model_card(spec_of(), "org/tiny", {4: 8}, form=form, about=about)
    assert head(card)["license"] == "apache-2.0"
    assert "Not verified" in card
    once = with_proof(card, "Verified against MLX with the one.")
    again = with_proof(once, "Verified against MLX with the other.")
    assert "Not verified" not in once
    assert again == once.replace("the one", "the other")
    assert all(part in again for part in ("## Use", "## How", "## Evaluation", MARK))


def test_a_card_is_made_offline_and_opens_no_connection() -> None:
    code = (
        "import json, sys\n"
        "reached = []\n"
        "events = ('socket.connect', 'socket.getaddrinfo', 'socket.gethostbyname')\n"
        "sys.addaudithook(lambda name, _: reached.append(name) if name in events else None)\n"
        "from augmlx.core.records import AdapterSpec\n"
        "from augmlx.exporting.card import model_card\n"
        "spec = AdapterSpec('tiny', None, 4, 2.0, 0.0, ('mlp.up_proj',), 3, 3)\n"
        "card = model_card(spec, 'org/tiny', {4: 8})\n"
        "from huggingface_hub import constants\n"
        "print(json.dumps([card[:4], reached, constants.HF_HUB_OFFLINE]))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == ["---\n", [], True]
