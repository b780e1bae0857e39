"""Does llama.cpp say with an export what MLX says with the adapter?

    .venv/bin/python scripts/verify_llamacpp.py runs/acme --json llamacpp.json
    .venv/bin/python scripts/verify_llamacpp.py --model second --adapter DIR --questions Q.jsonl

Exports the base as GGUF, the adapter as GGUF, and the whole model as GGUF; asks each 20 questions
in a chat, greedily, through llama.cpp's Python binding: the base with the adapter over it, then the
whole model. MLX answers the same with the adapter over the base. llama.cpp cuts the questions into
tokens itself, so that its reading of the tokenizer is compared as well.

The binding is looked for in the interpreter that --python names, in the script's own, and in
build/llamacpp of the checkout; where none has it, it is installed there, in a virtual environment
of its own, which is kept. That compiles it from source, without what is not asked for here
(pictures, the library of llama.cpp's own programs, the compiler's dearest optimisations), and takes
some four minutes of one core; --build-minutes at most.

Bars: at least 19 of 20 answers are the same, for either; every question is the same tokens; every
tensor of the whole model is, dequantised, what the weights with the adapter are in its type.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Any

import answers
import benchmark
import gguf
import numpy as np

from augmlx.core import settings_file
from augmlx.core.run_folder import RunFolder
from augmlx.exporting import mlx_reader
from augmlx.exporting.comparison import Material, Reply
from augmlx.exporting.fused_weights import FusedWeights
from augmlx.exporting.gguf_files import lora, model
from augmlx.exporting.stage import chat_template
from augmlx.models.formats import gguf_config, gguf_file, gguf_tensors
from augmlx.models.formats.adapter_folder import read_spec
from augmlx.models.loading import tokenizer_of
from augmlx.models.store import folder as store

QUESTIONS, SAME = 20, 19
BINDING = "llama-cpp-python"
BUILT = Path(__file__).resolve().parents[1] / "build" / "llamacpp"
# The package turns llama.cpp's common library on, whatever the options say; only a variable that is
# set before its own lines is left alone.
LEFT_OUT = "set(LLAMA_BUILD_COMMON OFF)\n"
CMAKE = (
    "-DLLAVA_BUILD=OFF",
    "-DLLAMA_ALL_WARNINGS=OFF",
    "'-DCMAKE_CXX_FLAGS_RELEASE=-O1 -DNDEBUG'",
)
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
        answer.append(token)
        if token in order["stops"] or len(answer) == order["tokens"]:
            break
    answers.append([tokens, answer])
print("ANSWERS " + json.dumps(answers))
"""


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
    parser.add_argument(
        "--build-minutes", type=float, default=120, help="longest installation of the binding"
    )
    arguments = parser.parse_args()
    if (arguments.run is None) == (arguments.adapter is None):
        parser.error("name a run, or --model and --adapter")
    if arguments.run is not None:
        run = RunFolder(arguments.run)
        name, adapter = settings_file.load(run.settings, {}).model, run.adapter
        questions = arguments.questions or answers.questions_of(run.path)
    else:
        name, adapter, questions = arguments.model, arguments.adapter, arguments.questions
    with tempfile.TemporaryDirectory() as temporary:
        work = arguments.work or Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        compare(name, adapter, questions, work, arguments)


def compare(name: str, adapter: Path, questions: Path, work: Path, arguments: Any) -> None:
    print(f"machine: {benchmark.machine('mlx', 'mlx-lm', 'gguf')}")
    python = interpreter(arguments.python, BUILT, arguments.build_minutes)
    stored = store.find(name)
    material = Material([], answers.chosen(questions, QUESTIONS))
    replies = mlx_reader.record(stored, adapter, material).replies
    base, whole, alone = work / "base.gguf", work / "whole.gguf", work / "adapter.gguf"
    template = chat_template(stored)
    weights = FusedWeights(stored, adapter, read_spec(adapter))
    model.write_model(FusedWeights(stored), base, "base", arguments.type, template)
    model.write_model(weights, whole, "whole", arguments.type, template)
    lora.write_lora(weights, alone, "adapter")
    equal, tensors = equal_tensors(whole, weights), len(weights.shapes)
    stops = sorted(tokenizer_of(stored).eos_token_ids)
    plain = ask(python, base, None, replies, stops)
    over = ask(python, base, alone, replies, stops)
    fused = ask(python, whole, None, replies, stops)
    ours = [list(reply.answer) for reply in replies]
    cut_alike = answers.same([list(reply.tokens) for reply in replies], fused[0])
    figures = {
        "questions": len(replies),
        "cut_alike": cut_alike,
        "base_alone": answers.same(ours, plain[1]),
        "adapter_same": answers.same(ours, over[1]),
        "whole_same": answers.same(ours, fused[1]),
        "tensors": tensors,
        "equal_tensors": equal,
    }
    print(f"{name}, {arguments.type}: {len(replies)} questions, {mlx_reader.ANSWER} tokens at most")
    print(f"  the same tokens of a question      {cut_alike}")
    print(f"  base without the adapter as MLX with {figures['base_alone']}")
    print(f"  base and adapter as MLX            {figures['adapter_same']}")
    print(f"  whole model as MLX                 {figures['whole_same']}")
    print(f"  equal tensors                      {equal} of {tensors}")
    benchmark.finish(
        figures,
        {
            "adapter_same": benchmark.at_least(figures["adapter_same"], SAME),
            "whole_same": benchmark.at_least(figures["whole_same"], SAME),
            "cut_alike": benchmark.exactly(cut_alike, len(replies)),
            "equal_tensors": benchmark.exactly(equal, tensors),
        },
        arguments.json,
    )


def equal_tensors(path: Path, weights: FusedWeights) -> int:
    """How many tensors of a GGUF file are, dequantised and under their names in Hugging Face's
    model, the weights as its own type has them.
    """
    file = gguf_file.read(path)
    config = gguf_config.build(file, "float32")
    equal = 0
    for name, source in gguf_tensors.source_names(file, config).items():
        kind = file.tensors[source].tensor_type
        rounded = gguf.quants.dequantize(gguf.quants.quantize(weights.read(name), kind), kind)
        equal += np.array_equal(gguf_tensors.read_tensor(file, source, config), rounded)
    return equal


def ask(
    python: str, path: Path, adapter: Path | None, replies: tuple[Reply, ...], stops: list[int]
) -> tuple[list[list[int]], list[list[int]]]:
    """What llama.cpp says: the tokens of each question, and those of each answer."""
    order = {
        "model": str(path),
        "lora": None if adapter is None else str(adapter),
        "prompts": [reply.prompt for reply in replies],
        "stops": stops,
        "tokens": mlx_reader.ANSWER,
    }
    said = answers.ask_child(python, CHILD, order, "llama.cpp")
    return [tokens for tokens, _ in said], [answer for _, answer in said]


def interpreter(given: str | None, folder: Path, minutes: float) -> str:
    """An interpreter that has the binding; installed into `folder` where none has. Exits where that
    fails.
    """
    made = str(folder / "bin" / "python")
    if given and not has_binding(given):
        sys.exit(f"--python {given}: cannot import llama_cpp, the package {BINDING}")
    for python in (given, sys.executable, made):
        if python and has_binding(python):
            return python
    print(f"installing {BINDING} into {folder}; it compiles", flush=True)
    venv.create(folder, with_pip=True)
    left_out = folder / "left_out.cmake"
    left_out.write_text(LEFT_OUT)
    options = " ".join([f"'-DCMAKE_PROJECT_INCLUDE={left_out}'", *CMAKE])
    fault = installed(made, options, minutes)
    if fault or not has_binding(made):
        sys.exit(
            f"{BINDING} could not be installed: {fault or 'it cannot be imported'}\n"
            "install it where you like (it needs a C++ compiler), and name that Python: --python"
        )
    return made


def installed(python: str, options: str, minutes: float) -> str:
    """Install the binding; why that failed, or "". What pip started ends with it.

    Args:
        options: of CMake, as a shell would take them; those of the environment go behind them.
    """
    command = [python, "-m", "pip", "install", "--quiet", BINDING]
    given = os.environ.get("CMAKE_ARGS", "")
    with subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "CMAKE_ARGS": f"{options} {given}".strip()},
        start_new_session=True,
    ) as pip:
        try:
            _, said = pip.communicate(timeout=60 * minutes)
        except subprocess.TimeoutExpired:
            os.killpg(pip.pid, signal.SIGTERM)
            return f"it took longer than {minutes:g} minutes (--build-minutes)"
    return said[-2000:] if pip.returncode else ""


def has_binding(python: str) -> bool:
    command = [python, "-c", "import llama_cpp"]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


if __name__ == "__main__":
    main()
