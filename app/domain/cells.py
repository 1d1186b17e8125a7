"""Cells of lists that a spreadsheet opens. Pure.

Names come from two systems and anybody may have typed them: no cell begins a formula.
"""

# What makes a spreadsheet read a cell as a formula, in full width too.
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")  # noqa: RUF001 - meant: some spreadsheets take them for the narrow ones


def to_cell(text: str) -> str:
    """The text, as no formula."""
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text
