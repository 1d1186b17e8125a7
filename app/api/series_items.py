"""How an administrator names a series, with a key or by itself."""

from typing import Annotated

from pydantic import Field

from app.api.views import DepartmentId, Order, RowId
from app.domain.documents import DocumentKind

Number = Annotated[int, Field(ge=1, lt=10**18)]
Digits = Annotated[str, Field(pattern="^[0-9]{0,17}$")]
# Of one company; nobody has more than a few.
MOST_SERIES = 100


class SeriesOrderItem(Order):
    """An invoice series of Unimicro's, and which of RecMan's documents it numbers; what is left out does not matter."""

    series_id: RowId = Field(description="Id of an invoice series in Unimicro that nobody else uses", examples=[7])
    next_number: Number = Field(
        description="RecMan's next number: the one behind its last document. RecMan has no door that tells it",
        examples=[10045],
    )
    prefix: Digits = Field("", description="First digits of RecMan's numbers in this series", examples=["10"])
    departments: list[DepartmentId] = Field(
        default_factory=list, max_length=1000, description="RecMan department ids", examples=[["7"]]
    )
    kind: DocumentKind | None = Field(None, description="Where credit notes have numbers of their own")
