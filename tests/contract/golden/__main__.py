"""`python -m tests.contract.golden --write`: the expectations anew; read the difference before you commit it."""

import sys

from tests.contract.golden.cases import load_cases, render, write_files


def main() -> int:
    """0 when every case comes out as expected, else 1 with the names of the others."""
    if "--write" in sys.argv[1:]:
        write_files()
    wrong = [case.place for case in load_cases() if render(case.data) != (case.data["expected"], case.data["warnings"])]
    sys.stdout.write("".join(f"not as expected: {place}\n" for place in wrong))
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
