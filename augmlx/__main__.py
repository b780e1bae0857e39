"""python -m augmlx: the same as the command augmlx."""

from augmlx.cli import main

main()
