"""`python -m app` is the console script `recman-unimicro`."""

from app.cli import main

main()
