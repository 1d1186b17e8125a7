"""`python -m app` is the console script `recman-unimicro`."""

from app.cli.commands import main

main()
