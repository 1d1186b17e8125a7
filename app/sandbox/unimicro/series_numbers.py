"""The next number out of a series, for whatever is numbered; `series` has the rules of invoice series."""

from app.sandbox.unimicro.answers import Record, refused
from app.sandbox.unimicro.books import Books


def to_register(books: Books, series: Record) -> str:
    """What a series numbers: the entity of its task, else its name."""
    task = books.find("NumberSeriesTask", series["NumberSeriesTaskID"])
    return str(task["EntityType"] if task else series["Name"])


def find_series(books: Books, task: str, series_id: int | None = None) -> Record:
    """The number series with this id, else the default one of the task."""
    found = books.find("NumberSeries", series_id)
    rows = [found] if found else [row for row in books.rows("NumberSeries") if to_register(books, row) == task]
    return next((row for row in rows if row["IsDefaultForTask"]), rows[0])


def take_number(books: Books, task: str, series_id: int | None = None) -> int:
    """The next number of a series, which moves on.

    Raises:
        AnswerError: 400 when the series is used up.
    """
    series = find_series(books, task, series_id)
    number: int = series["NextNumber"]
    if number > series["ToNumber"]:
        raise refused("The number series is used up.", entity="NumberSeries", field="NextNumber")
    books.update("NumberSeries", series["ID"], {"NextNumber": number + 1})
    return number
