"""The index by which a part of a document's number is found: every end of it is a word, and a part begins one of them.

Made of what every Postgres has; there is no trigram index without an extension.
"""

from sqlalchemy import Index, text

# Of a number, its ends from each of so many places on; what lies behind is not found by a part.
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


def index_number_words() -> Index:
    """The index of the transfer log's documents."""
    only = text("scope = 'invoice'")
    return Index("ix_transfer_number_words", text(f"({NUMBER_WORDS})"), postgresql_using="gin", postgresql_where=only)
