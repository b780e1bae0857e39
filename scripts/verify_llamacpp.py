"""Does llama.cpp say with an export what MLX says with the adapter?

    .venv/bin/python scripts/verify_llamacpp.py runs/acme --json llamacpp.json
    .venv/bin/python scripts/verify_llamacpp.py --model second --adapter DIR --questions Q.jsonl

Exports the base as GGUF, the adapter as GGUF, and the whole model as GGUF; asks each 20 questions
in a chat, greedily, through llama.cpp's Python binding: the base with the adapter over it, then the
whole model. MLX answers the same with the adapter over the base. llama.cpp cuts the questions into
tokens itself, so that its reading of the tokenizer is compared as well.

The binding is looked for here, then in the interpreter that --python names; where there is neither,
it is installed into a virtual environment in --work, which compiles it from source: a quarter of an
hour, or more.

Bars: at least 19 of 20 answers are the same, for either; every question is the same tokens.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import benchmark

from augmlx.core import settings_file
from augmlx.core.files import read_jsonl
from augmlx.core.run_folder import RunFolder
from augmlx.exporting.fused_weights import FusedWeights
from augmlx.exporting.gguf_files import lora, model
from augmlx.exporting.stage import chat_template
from augmlx.models import loading
from augmlx.models.formats.adapter_folder import read_spec
from augmlx.models.store import folder as store

import mlx.core as mx  # isort: skip - augmlx.models loads the fast BLAS, and must come first

QUESTIONS, TOKENS, SAME = 20, 24, 19
BINDING = "llama-cpp-python"
# Runs in the interpreter that has the binding. In: {"model", "lora", "prompts", "stops", "tokens"}.
# Out: of each prompt its tokens, and those of the answer.
CHILD = """
import json, sys
from llama_cpp import Llama
order = json.load(sys.stdin)
llama = Llama(model_path=order["model"], lora_path=order["lora"], n_ctx=1024, n_threads=1,
              n_threads_batch=1, verbose=False)
answers = []
for prompt in order["prompts"]:
    tokens = llama.tokenize(prompt.encode(), add_bos=False, special=True)
    llama.reset()
    answer = []
    for token in llama.generate(tokens, temp=0.0, repeat_penalty=1.0, top_k=1):
        if token in order["stops"] or len(answer) == order["tokens"]:
            break
        answer.append(token)
    answers.append([tokens, answer])
print("ANSWERS " + json.dumps(answers))
"""
Answers = list[tuple[list[int], list[int]]]


def main() -> None:
    parser = benchmark.options(__doc__)
    parser.add_argument("run", nargs="?", type=Path, help="a run that was trained")
    parser.add_argument("--model", help="in the place of a run: the base in the store")
    parser.add_argument("--adapter", type=Path, help="in the place of a run: its adapter")
    parser.add_argument(
        "--questions", type=Path, help="JSON Lines with prompt; the run's own if not"
    )
    parser.add_argument("--type", default="f16", help="of the GGUF files' matrices")
    parser.add_argument("--python", help="an interpreter that has the binding")
    parser.add_argument("--work", type=Path, help="where the GGUF files are written, and kept")
    arguments = parser.parse_args()
    if (arguments.run is None) == (arguments.adapter is None):
        parser.error("name a run, or --model and --adapter")
    if arguments.run is not None:
        run = RunFolder(arguments.run)
        name, adapter = settings_file.load(run.settings, {}).model, run.adapter
        questions = arguments.questions or run.eval / "items.jsonl"
    else:
        name, adapter, questions = arguments.model, arguments.adapter, arguments.questions
    with tempfile.TemporaryDirectory() as temporary:
        work = arguments.work or Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        compare(name, adapter, questions, work, arguments)


def compare(name: str, adapter: Path, questions: Path, work: Path, arguments: Any) -> None:
    print(f"machine: {benchmark.machine('mlx', 'mlx-lm', 'gguf')}")
    python = interpreter(arguments.python, work)
    stored = store.find(name)
    loaded = loading.load(stored, adapter)
    prompts = [
        loaded.tokenizer.apply_chat_template(
            [{"role": "user", "content": text}], tokenize=False, add_generation_prompt=True
        )
        for text in chosen(questions)
    ]
    stops = sorted(loaded.tokenizer.eos_token_ids)
    ours = [answered(loaded, prompt, stops) for prompt in prompts]
    del loaded
    base, whole, alone = work / "base.gguf", work / "whole.gguf", work / "adapter.gguf"
    template = chat_template(stored)
    weights = FusedWeights(stored, adapter, read_spec(adapter))
    model.write_model(FusedWeights(stored), base, "base", arguments.type, template)
    model.write_model(weights, whole, "whole", arguments.type, template)
    lora.write_lora(weights, alone, "adapter")
    order = {"prompts": prompts, "stops": stops, "tokens": TOKENS}
    plain = ask(python, {**order, "model": str(base), "lora": None})
    over = ask(python, {**order, "model": str(base), "lora": str(alone)})
    fused = ask(python, {**order, "model": str(whole), "lora": None})
    cut_alike = sum(mine[0] == theirs[0] for mine, theirs in zip(ours, fused, strict=True))
    print(f"{name}, {arguments.type}: {len(prompts)} questions, {TOKENS} tokens at most")
    print(f"  the same tokens of a question      {cut_alike}")
    print(f"  base without the adapter as MLX with {same(ours, plain)}")
    print(f"  base and adapter as MLX            {same(ours, over)}")
    print(f"  whole model as MLX                 {same(ours, fused)}")
    benchmark.finish(
        {"questions": len(prompts), "base_alone": same(ours, plain)},
        {
            "adapter_same": benchmark.at_least(same(ours, over), SAME),
            "whole_same": benchmark.at_least(same(ours, fused), SAME),
            "cut_alike": benchmark.exactly(cut_alike, len(prompts)),
        },
        arguments.json,
    )


def chosen(path: Path) -> list[str]:
    """Questions of a file, each once, spread over it."""
    texts = list(dict.fromkeys(row["prompt"] for row in read_jsonl(path)))
    asked = [text for text in texts if text.rstrip().endswith("?")]
    if len(asked) < QUESTIONS:  # what a sentence goes on with is a question, too
        rest = [text for text in texts if text not in asked]
        asked += [f"Complete: {text}" for text in rest]
    distance = max(1, len(asked) // QUESTIONS)
    return asked[::distance][:QUESTIONS]


def answered(loaded: loading.LoadedModel, prompt: str, stops: Sequence[int]) -> Any:
    """The tokens of a prompt, and of the greedy answer of MLX."""
    from mlx_lm.models.cache import make_prompt_cache

    tokens = loaded.tokenizer.encode(prompt, add_special_tokens=False)
    cache = make_prompt_cache(loaded.model)
    answer: list[int] = []
    step = mx.array([tokens])
    while len(answer) < TOKENS:
        token = int(loaded.model(step, cache=cache)[0, -1].argmax().item())
        if token in stops:
            break
        answer.append(token)
        step = mx.array([[token]])
    return tokens, answer


def same(ours: Answers, theirs: Answers) -> int:
    return sum(mine[1] == other[1] for mine, other in zip(ours, theirs, strict=True))


def ask(python: str, order: Any) -> Any:
    """What llama.cpp says, as (tokens of the prompt, tokens of the answer) each."""
    done = subprocess.run(
        [python, "-c", CHILD], input=json.dumps(order), capture_output=True, text=True, check=False
    )
    for line in done.stdout.splitlines():
        if line.startswith("ANSWERS "):
            return json.loads(line.removeprefix("ANSWERS "))
    sys.exit(f"llama.cpp did not answer:\n{done.stderr[-2000:]}")


def interpreter(given: str | None, work: Path) -> str:
    """An interpreter that has the binding; installed where none has."""
    made = work / "llamacpp" / "bin" / "python"
    for python in (given, sys.executable, str(made)):
        if python and has_binding(python):
            return python
    print(f"installing {BINDING} into {made.parents[1].name}/; it compiles")
    venv.create(made.parents[1], with_pip=True)
    subprocess.run([str(made), "-m", "pip", "install", "--quiet", BINDING], check=True)
    return str(made)


def has_binding(python: str) -> bool:
    command = [python, "-c", "import llama_cpp"]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


if __name__ == "__main__":
    main()
