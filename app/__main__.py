"""`python -m app` is the console script `recman-unimicro`."""

import gc

# Nothing of what is loaded now becomes garbage: looking for some on the way took a fifth of the start of a process.
gc.disable()

from app.cli.commands import main  # noqa: E402 - what it loads is meant

gc.freeze()
gc.enable()

main()
