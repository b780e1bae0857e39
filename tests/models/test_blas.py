from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

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


SKYLAKE = "avx512f avx512bw avx512dq avx512vl avx2 fma"


@pytest.mark.parametrize(
    ("vendor", "flags", "said", "told"),
    [
        ("GenuineIntel", SKYLAKE, None, "SkylakeX"),
        ("GenuineIntel", "avx512f avx2 fma", None, "Haswell"),
        ("GenuineIntel", "sse4_2 avx", None, None),
        ("GenuineIntel", SKYLAKE, "Haswell", "Haswell"),
        ("AuthenticAMD", SKYLAKE, None, None),  # OpenBLAS looks at the instructions itself there
    ],
)
def test_an_intel_cpu_is_known_by_its_instructions(
    vendor: str,
    flags: str,
    said: str | None,
    told: str | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    one = f"processor\t: 0\nvendor_id\t: {vendor}\nmodel\t\t: 207\nflags\t\t: fpu {flags}\n\n"
    cpuinfo.write_text(one * 2)
    monkeypatch.setattr(blas, "_CPUINFO", cpuinfo)
    monkeypatch.delenv("OPENBLAS_CORETYPE", raising=False)
    if said is not None:
        monkeypatch.setenv("OPENBLAS_CORETYPE", said)
    blas._name_kernels()
    assert os.environ.get("OPENBLAS_CORETYPE") == told


def test_without_the_file_nothing_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blas, "_CPUINFO", tmp_path / "none")
    monkeypatch.delenv("OPENBLAS_CORETYPE", raising=False)
    blas._name_kernels()
    assert "OPENBLAS_CORETYPE" not in os.environ


@pytest.mark.skipif(not blas.needs_blas(), reason="MLX has its own fast BLAS here")
def test_no_kernels_of_long_ago(monkeypatch: pytest.MonkeyPatch) -> None:
    """A CPU that is newer than the OpenBLAS was computed on by Prescott's."""
    if blas.load_fast_blas() is None:
        pytest.skip(f"OpenBLAS is not installed: {blas.install_hint()}")
    if " avx2 " not in Path("/proc/cpuinfo").read_text():
        pytest.skip("this CPU has no newer ones")
    monkeypatch.delenv("OPENBLAS_CORETYPE", raising=False)
    code = (
        "import ctypes; from augmlx.models import blas; library = ctypes.CDLL(str(blas._loaded)); "
        "name = library.openblas_get_corename; name.restype = ctypes.c_char_p; print(name())"
    )
    assert "Prescott" not in python(code)
