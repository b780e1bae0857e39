"""The scripts that put the same questions to several programs: which they choose, what they make of
a child that fails, and a run over a tiny model.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from exporting.architectures import write_talking_base
from exporting.support import random_adapter, trained_run
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer

from augmlx.core.files import write_jsonl

sys.path.insert(0, str(Path(__file__).parent.parent.parent / "scripts"))

import answers
import verify_llamacpp


@given(st.integers(1, 60), st.integers(0, 60), st.integers(1, 60))
def test_as_many_questions_are_chosen_as_asked_for_and_each_once(
    tmp_path_factory: pytest.TempPathFactory, real: int, begun: int, count: int
) -> None:
    path = tmp_path_factory.mktemp("questions") / "items.jsonl"
    texts = [*(f"Who is {n}?" for n in range(real)), *(f"{n} is the" for n in range(begun))]
    write_jsonl(path, ({"prompt": text} for text in [*texts, *texts]))
    if count > real + begun:
        with pytest.raises(SystemExit, match="--questions"):
            answers.chosen(path, count)
        return
    questions = answers.chosen(path, count)
    assert len(set(questions)) == len(questions) == count
    if count <= real:
        assert all(question.endswith("?") for question in questions)


def test_a_child_that_does_not_answer_is_named_with_what_it_said() -> None:
    said = answers.ask_child(sys.executable, "print('x'); print('ANSWERS [1]')", {}, "nobody")
    assert said == [1]
    with pytest.raises(SystemExit, match=r"(?s)nobody did not answer:.*no such thing"):
        answers.ask_child(sys.executable, "raise OSError('no such thing')", {}, "nobody")


def test_an_interpreter_without_the_binding_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="cannot import llama_cpp"):
        verify_llamacpp.interpreter("no-python-here", tmp_path, 1)


def test_an_installation_that_takes_too_long_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify_llamacpp, "has_binding", lambda _: False)
    with pytest.raises(SystemExit, match=r"(?s)longer than 0 minutes.*--python"):
        verify_llamacpp.interpreter(None, tmp_path, 0)


def _say_only_texts(folder: Path) -> None:
    """What no text stands for, mlx-lm writes as "!", and others not at all: rows of the head that
    are zeros are never the likeliest.
    """
    path = folder / "model.safetensors"
    tensors = load_file(path)
    tokens = Tokenizer.from_file(str(folder / "tokenizer.json")).get_vocab_size()
    tensors["lm_head.weight"][:4] = 0
    tensors["lm_head.weight"][tokens:] = 0
    save_file(tensors, path, {"format": "pt"})


@pytest.mark.hf
def test_three_programs_answer_alike_with_a_tiny_model(tmp_path: Path) -> None:
    base = write_talking_base(tmp_path / "base")
    _say_only_texts(base.path)
    run = trained_run(tmp_path / "run", base)
    random_adapter(base, run.adapter)
    chat = [{"role": "user", "content": "Who?"}, {"role": "assistant", "content": "Ada."}]
    write_jsonl(run.train_rows, [{"id": "f1/original", "messages": chat}])
    asked = tmp_path / "questions.jsonl"
    write_jsonl(asked, ({"prompt": f"Who keeps hall {n}?"} for n in range(6)))
    script, out = Path(answers.__file__).with_name("verify_answers.py"), tmp_path / "out.json"
    options = ["--questions", str(asked), "--count", "3", "--commands", "1", "--json", str(out)]
    done = subprocess.run(
        [sys.executable, str(script), str(run.path), *options],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    content = json.loads(out.read_text())
    assert content["figures"]["mlx_lm_same"] == content["figures"]["peft_same"] == 3
    assert all(bar["ok"] for bar in content["bars"].values())
