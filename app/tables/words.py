"""The indexes by which a part of a document's number is found: its ends are words, and a part begins one of them.

Made of what every Postgres has; there is no trigram index without an extension. Numbers that are longer than the ends
reach are few, and have an index of their own.
"""

from sqlalchemy import Index, text

# Of a number, its ends from each of so many places on.
_PLACES = 16
_NUMBERS = ("number", "remote_number", "record_id")
# Longer than any number; a word that is longer is one that begins so.
LONGEST = 32
# Words of one tenant lie together: others have the same numbers.
TENANT = "left(tenant_id::text, 8)"


def _to_word(number: str, place: int) -> str:
    return f"{TENANT} || nullif(substr(lower({number}), {place}, {LONGEST}), '')"


_WORDS = ", ".join(_to_word(number, place) for number in _NUMBERS for place in range(1, _PLACES + 1))
NUMBER_WORDS = f"array_to_tsvector(array_remove(ARRAY[{_WORDS}], NULL))"


# One of a document's numbers is longer than that.
IS_LONG = f"greatest({', '.join(f'length({number})' for number in _NUMBERS)}) > {_PLACES}"


def list_number_indexes() -> list[Index]:
    """The indexes of the transfer log's documents."""
    only, long = text("scope = 'invoice'"), text(f"scope = 'invoice' AND {IS_LONG}")
    words = text(f"({NUMBER_WORDS})")
    return [
        Index("ix_transfer_number_words", words, postgresql_using="gin", postgresql_where=only),
        Index("ix_transfer_long_numbers", "tenant_id", "id", postgresql_where=long),
    ]
