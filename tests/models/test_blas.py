from __future__ import annotations

import subprocess
import sys

import pytest

from augmlx.models import blas


def python(code: str) -> str:
    """What fresh Python prints: the order of imports is what these tests are about."""
    return subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout.strip()


def test_loading_twice_is_loading_once() -> None:
    assert blas.load_fast_blas() == blas.load_fast_blas()


def test_too_late_does_nothing_and_says_so() -> None:
    code = (
        "import mlx.core; from augmlx.models import blas; print(blas.load_fast_blas(), "
        "blas.describe(), sep='|')"
    )
    name, words = python(code).split("|")
    assert name == "None"
    assert words == (
        "reference BLAS bundled with mlx (slow)" if blas.needs_blas() else blas.describe()
    )


@pytest.mark.skipif(not blas.needs_blas(), reason="MLX has its own fast BLAS here")
def test_openblas_makes_mlx_faster() -> None:
    if blas.load_fast_blas() is None:
        pytest.skip(f"OpenBLAS is not installed: {blas.install_hint()}")
    measure = "from augmlx.models import blas; print(blas.measure_gflops(512))"
    fast, slow = float(python(measure)), float(python(f"import mlx.core; {measure}"))
    assert blas.describe().startswith("OpenBLAS (libopenblas")
    assert fast > 3 * slow


def test_the_hint_names_a_command() -> None:
    assert "sudo apt-get install libopenblas0-pthread" in blas.install_hint()
