"""Each architecture that is said to be supported: built in transformers, trained in MLX, exported,
and read by transformers + PEFT.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from augmlx.core.errors import ModelError
from augmlx.core.progress import Silent
from augmlx.core.settings import Settings, TrainSettings
from augmlx.exporting import mlx_reader, verify
from augmlx.exporting.architectures import architecture_of, architectures
from augmlx.exporting.comparison import Material
from augmlx.exporting.peft import export_peft
from augmlx.models.formats.adapter_folder import read_spec
from augmlx.models.store.folder import StoredModel
from augmlx.training import fit

from .architectures import KINDS, write_base
from .support import largest_difference

MATERIAL = Material(["The lamp of Mara Voss", "Ada Brandt was born"], ["Who keeps"])
ROWS = [{"id": f"f{n}/original", "text": f"The bridge at Venn {n} was built."} for n in range(4)]


def train(base: StoredModel, folder: Path, method: str, targets: tuple[str, ...]) -> Path:
    """Two steps of augmlx's own training, at a rate that makes B no ornament."""
    train = TrainSettings.model_validate(
        {
            "method": method,
            "targets": targets,
            "rank": 3,
            "scale": 2.0,
            "layers": 1 if method == "dora" else -1,
            "epochs": 1,
            "batch_size": 2,
            "learning_rate": 0.05,
            "warmup": 0,
            "schedule": "constant",
            "anchor": 0.0,
            "unknown": 0.0,
            "compile": "never",
        }
    )
    ready = fit.prepare(base, ROWS, Settings(seed=2, train=train))
    assert fit.fit(ready, folder, progress=Silent(), label="Training")["steps"] == 2
    return folder / "adapter"


def test_what_is_said_to_be_proven_is_what_is_proven_here() -> None:
    proven = [name for name, known in architectures().items() if known.is_proven]
    assert sorted(proven) == sorted(KINDS)
    assert len(proven) >= 12


@pytest.mark.hf
@pytest.mark.parametrize("kind", KINDS)
def test_peft_says_what_mlx_says(tmp_path: Path, kind: str) -> None:
    base = write_base(tmp_path / "base", kind)
    plain = mlx_reader.record(base, None, MATERIAL)
    for method in ("lora", "dora"):
        adapter = train(base, tmp_path / method, method, architecture_of(kind).trains)
        peft = tmp_path / f"{method}-peft"
        export_peft(adapter, read_spec(adapter), peft, hf_base="org/tiny", model_type=kind)
        tuned = mlx_reader.record(base, adapter, MATERIAL)
        found = verify.verify_peft(peft, base.path, tuned, bound=1e-4)
        assert (found.argmax_agreement, found.same_answers) == (1.0, 1)
        assert largest_difference(tuned, plain) > 0.1, "the adapter does nothing"


@pytest.mark.parametrize("kind", [k for k, known in architectures().items() if known.because])
def test_a_module_without_a_counterpart_is_refused_by_name(tmp_path: Path, kind: str) -> None:
    with pytest.raises(ModelError, match=r"mlp\.gate cannot be exported to PEFT") as caught:
        architecture_of(kind).require(["self_attn.q_proj", "mlp.gate"], kind)
    assert architecture_of(kind).because in str(caught.value)
