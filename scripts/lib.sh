# Shared by setup, demo and test: finds a Python, makes .venv, installs, and looks for a fast BLAS on Linux.
# Written for the bash 3.2 of macOS. Source it from the root of the checkout.

say() { printf '\n==> %s\n' "$*"; }

fits() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' >/dev/null 2>&1; }

find_python() {
  for candidate in python3 python3.11 python3.12 python3.13; do
    if fits "$candidate"; then command -v "$candidate"; return 0; fi
  done
  echo "No Python 3.11, 3.12 or 3.13 found. Install one (python.org, Homebrew or your package manager)." >&2
  return 1
}

make_venv() {
  if [ -x .venv/bin/python ] && fits .venv/bin/python; then return 0; fi
  python=$(find_python) || return 1
  say "Making a virtual environment in .venv with $("$python" --version)"
  rm -rf .venv || return 1
  if ! "$python" -m venv .venv 2>/dev/null; then  # Debian's Python may come without ensurepip
    if command -v uv >/dev/null 2>&1; then uv venv --quiet --seed --python "$python" .venv; else
      echo "This Python cannot make virtual environments. Install python3-venv (Debian, Ubuntu) or uv." >&2
      return 1
    fi
  fi
}

# install EXTRAS: "" or "[dev,hf]". Nothing is done when what it installs from has not changed since the last time.
# Every step says "|| return 1": inside a list of && and || bash ignores `set -e`.
install() {
  stamp=".venv/installed${1:-[]}"
  if [ -f "$stamp" ] && cat pyproject.toml scripts/constraints.txt | cmp -s - "$stamp"; then return 0; fi
  say "Installing augmlx${1} (a few minutes the first time)"
  .venv/bin/python -m pip install --quiet --disable-pip-version-check -c scripts/constraints.txt -e ".${1}" || return 1
  cat pyproject.toml scripts/constraints.txt > "$stamp" || return 1
}

has_openblas() { .venv/bin/python -c 'from augmlx.models.blas import load_fast_blas as f; raise SystemExit(f() is None)'; }

# MLX's own BLAS on Linux CPUs is tens of times slower than OpenBLAS. Installed where that needs no password.
fast_blas() {
  [ "$(uname -s)" = Linux ] || return 0
  if ! .venv/bin/python -c 'from augmlx.models.blas import needs_blas as f; raise SystemExit(not f())'; then return 0; fi
  if has_openblas; then return 0; fi
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    say "Installing OpenBLAS (MLX's own BLAS is tens of times slower on a CPU)"
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq libopenblas0-pthread; } >/dev/null 2>&1 || true
  fi
  if ! has_openblas; then
    say "Going on slowly: no OpenBLAS was found. To make this tens of times faster:"
    .venv/bin/python -c 'from augmlx.models.blas import install_hint; print("    " + install_hint())'
  fi
}

has_browser() { .venv/bin/python -c 'from tests.report.browser import executable as f; raise SystemExit(f() is None)'; }

# For the tests of the report's pages, which are skipped without it. Installed where that needs no password.
browser() {
  if has_browser; then return 0; fi
  if [ "$(uname -s)" = Linux ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    say "Installing Chromium (for the tests of the report)"
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium; } >/dev/null 2>&1 || true
  fi
  if ! has_browser; then say "No Chromium was found: the tests that open the report in a browser are skipped, unless Playwright brought its own"; fi
}

# Everything but a model.
install_all() {
  make_venv || return 1
  install "$1" || return 1
  fast_blas || return 1
}

setup() {
  install_all "$1" || return 1
  say "Fetching the embedded model (93 MB, once)"
  .venv/bin/augmlx pull smollm2-135m || return 1
}
