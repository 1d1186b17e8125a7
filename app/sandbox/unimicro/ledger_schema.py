"""The entities of the ledger: accounts, number series, journal entries and their lines.

Source: docs/facts/unimicro.md §0 (swagger) for names and types; §12 for lengths, and for ExternalReference and
ExternalSource of a journal entry, which are newer than the dump. Their lengths are assumed.
"""

from app.sandbox.unimicro.kinds import Entity, to_fields

_ACCOUNT = """
AccountNumber:int AccountName:255 VatTypeID:VatType AccountID:Account! CustomerID:Customer! UsePostPost:bool
Locked:bool Visible:bool Active:bool
"""

_SERIES = """
Name:100 DisplayName:100 FromNumber:int ToNumber:int NextNumber:int AccountYear:int
NumberSeriesTypeID:NumberSeriesType NumberSeriesTaskID:NumberSeriesTask MainAccountID:Account IsDefaultForTask:bool
Disabled:bool Empty:bool System:bool NumberLock:bool UseNumbersFromNumberSeriesID:NumberSeries Comment:text
"""
_SERIES_TYPE = """
Name:100 EntityType:100 EntityField:100 EntitySeriesIDField:100 Yearly:bool CanHaveSeveralActiveSeries:bool System:bool
"""

_ENTRY = """
Description:200 JournalEntryNumber:text! JournalEntryNumberNumeric:int! NumberSeriesID:NumberSeries
NumberSeriesTaskID:NumberSeriesTask ExternalReference:255 ExternalSource:255
"""
# What a line is posted with, and what a booked one has too.
_DRAFT = """
JournalEntryID:JournalEntry! AccountID:Account SubAccountID:Account Amount:dec AmountCurrency:dec
CurrencyCodeID:CurrencyCode CurrencyExchangeRate:dec Description:500 FinancialDate:date VatDate:date VatTypeID:VatType
DimensionsID:Dimensions InvoiceNumber:100 PaymentID:255 DueDate:date CustomerInvoiceID:CustomerInvoice
CustomerOrderID:CustomerOrder
"""
_LINE = f"""
{_DRAFT} JournalEntryNumber:text! JournalEntryNumberNumeric:int! JournalEntryLineDraftID:JournalEntryLineDraft!
RestAmount:dec! RestAmountCurrency:dec! VatPercent:dec! TaxBasisAmount:dec! TaxBasisAmountCurrency:dec!
VatJournalEntryPostID:JournalEntryLine! PostPostJournalEntryLineID:JournalEntryLine!
ReferenceCreditPostID:JournalEntryLine! OriginalReferencePostID:JournalEntryLine! RegisteredDate:date!
"""
_OF_LINE = {"JournalEntry": "JournalEntryID", "Dimensions": "DimensionsID"}

LEDGER = (
    Entity(
        name="Account",
        route="accounts",
        fields=to_fields(_ACCOUNT),
        one={"VatType": "VatTypeID", "MainAccount": "AccountID", "Customer": "CustomerID"},
    ),
    Entity(
        name="NumberSeries",
        route="number-series",
        fields=to_fields(_SERIES),
        one={"NumberSeriesType": "NumberSeriesTypeID", "NumberSeriesTask": "NumberSeriesTaskID"},
        writable=True,
    ),
    Entity(name="NumberSeriesTask", route="number-series-tasks", fields=to_fields("Name:100 EntityType:100")),
    Entity(name="NumberSeriesType", route="number-series-types", fields=to_fields(_SERIES_TYPE)),
    Entity(
        name="JournalEntry",
        route="journalentries",
        fields=to_fields(_ENTRY),
        many={
            "Lines": ("JournalEntryLine", "JournalEntryID"),
            "DraftLines": ("JournalEntryLineDraft", "JournalEntryID"),
        },
    ),
    # Source: §11 row 8 [T]: SubAccount can be expanded in statistics, and has CustomerID.
    Entity(
        name="JournalEntryLine",
        route="journalentrylines",
        fields=to_fields(_LINE),
        one=_OF_LINE | {"Account": "AccountID", "SubAccount": "SubAccountID", "VatType": "VatTypeID"},
    ),
    Entity(name="JournalEntryLineDraft", route="journalentrylinedrafts", fields=to_fields(_DRAFT), one=_OF_LINE),
)
