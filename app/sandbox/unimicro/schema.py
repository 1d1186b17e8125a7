"""The entities of the stand-in, all of them; those of the ledger are in a module of their own.

Source: docs/facts/unimicro.md §3 [O] for names and lengths, docs/facts/unimicro.md §0 (swagger) for types. Only what an
invoice integration meets; fields left out are ignored on input, as unknown members are.
"""

from app.sandbox.unimicro.kinds import Entity, to_fields
from app.sandbox.unimicro.ledger_schema import LEDGER
from app.sandbox.unimicro.sale_schema import SALE

_ADDRESS_LINES = "{0}AddressLine1:255 {0}AddressLine2:255 {0}AddressLine3:255 {0}PostalCode:{1} {0}City:100 "
_ADDRESS = _ADDRESS_LINES + "{0}Country:100 {0}CountryCode:100 "
_SUMS = " ".join(
    f"{name}:dec! {name}Currency:dec!"
    for name in ("TaxExclusiveAmount", "VatTotalsAmount", "TaxInclusiveAmount", "RestAmount", "CreditedAmount")
)

_INVOICE = f"""
InvoiceNumber:100! InvoiceNumberSeriesID:NumberSeries InvoiceType:int InvoiceReferenceID:CustomerInvoice!
PaymentID:100 ExternalReference:20 ExternalStatus:int JournalEntryID:JournalEntry! CreatedFromJournalEntry:bool!
InvoiceDate:date PaymentDueDate:date DeliveryDate:date CreditDays:int LastPaymentDate:date
CustomerID:Customer CustomerName:255 CustomerOrgNumber:100 CustomerPerson:255 InvoiceReceiverName:255
{_ADDRESS.format("Invoice", 10)} {_ADDRESS.format("Shipping", 10)} DeliveryName:255 EmailAddress:255
YourReference:255 OurReference:255 Requisition:255 ContractDocumentReference:255 AmountRegards:255 Comment:500
FreeTxt:500 InternalNote:500 SalesPerson:255 PaymentTermsID:Terms DeliveryTermsID:Terms PaymentTerm:100
DeliveryTerm:100 DeliveryMethod:100 PaymentInfoTypeID:int PaymentInformation:text BankAccountID:int
CurrencyCodeID:CurrencyCode CurrencyExchangeRate:dec UpdateCurrencyAmountsOnDateChange:bool
DistributionPlanID:DistributionPlan UseReportID:int DontSendReminders:bool DontUseFactoring:bool
MergeAttachments:bool PrintStatus:int CollectorStatusCode:int VatTypeID:VatType DefaultDimensionsID:Dimensions
DefaultSellerID:int AccrualID:int
{_SUMS} PayableRoundingAmount:dec! PayableRoundingCurrencyAmount:dec! Credited:bool!
WriteoffJournalEntryID:JournalEntry! WriteoffPaymentJournalEntryID:JournalEntry!
"""

_ITEM = """
CustomerInvoiceID:CustomerInvoice! ProductID:Product ItemText:255 Comment:500 NumberOfItems:dec Unit:100
UnitOfMeasureID:int PriceExVat:dec PriceExVatCurrency:dec PriceIncVat:dec PriceSetByUser:bool
CalculateGrossPriceBasedOnNetPrice:bool DiscountPercent:dec Discount:dec DiscountCurrency:dec VatTypeID:VatType
VatPercent:dec AccountID:Account DimensionsID:Dimensions SortIndex:int SumTotalExVat:dec SumVat:dec
SumTotalIncVat:dec SumTotalExVatCurrency:dec SumVatCurrency:dec SumTotalIncVatCurrency:dec
InvoicePeriodStartDate:date InvoicePeriodEndDate:date AccountingCost:255 BuyersItemIdentification:255
OrderLineReference:255 OrderItemId:int ItemSourceID:int CurrencyCodeID:CurrencyCode CurrencyExchangeRate:dec
"""

# Source: docs/facts/unimicro.md §0 (swagger) (CustomerOrder, CustomerOrderItem); the lines' ExternalReference and
# ReadyToInvoice §3.4 [O], its length assumed. The head has no ExternalReference, ExternalStatus, DontUseFactoring and
# MergeAttachments.
_ORDER = f"""
OrderNumber:int! OrderNumberSeriesID:NumberSeries OrderDate:date ReadyToInvoice:bool CreditDays:int DeliveryDate:date
CustomerID:Customer CustomerName:255 CustomerOrgNumber:100 CustomerPerson:255 InvoiceReceiverName:255
{_ADDRESS.format("Invoice", 10)} {_ADDRESS.format("Shipping", 10)} DeliveryName:255 EmailAddress:255
YourReference:255 OurReference:255 Requisition:255 SupplierOrgNumber:100 Comment:500 FreeTxt:500 InternalNote:500
SalesPerson:255 PaymentTermsID:Terms DeliveryTermsID:Terms PaymentTerm:100 DeliveryTerm:100 DeliveryMethod:100
PaymentInfoTypeID:int CurrencyCodeID:CurrencyCode CurrencyExchangeRate:dec UpdateCurrencyAmountsOnDateChange:bool
UpdateCurrencyOnToInvoice:bool DistributionPlanID:DistributionPlan UseReportID:int PrintStatus:int
DefaultDimensionsID:Dimensions DefaultSellerID:int AccrualID:int
TaxExclusiveAmount:dec! TaxExclusiveAmountCurrency:dec! VatTotalsAmount:dec! VatTotalsAmountCurrency:dec!
TaxInclusiveAmount:dec! TaxInclusiveAmountCurrency:dec! RestAmountCurrency:dec! RestExclusiveAmountCurrency:dec!
PayableRoundingAmount:dec! PayableRoundingCurrencyAmount:dec!
"""

_ORDER_ITEM = """
CustomerOrderID:CustomerOrder! ProductID:Product ItemText:255 Comment:500 NumberOfItems:dec Unit:100
PriceExVat:dec PriceExVatCurrency:dec PriceIncVat:dec PriceSetByUser:bool CalculateGrossPriceBasedOnNetPrice:bool
DiscountPercent:dec Discount:dec DiscountCurrency:dec VatTypeID:VatType VatPercent:dec VatDate:date AccountID:Account
DimensionsID:Dimensions SortIndex:int SumTotalExVat:dec SumVat:dec SumTotalIncVat:dec SumTotalExVatCurrency:dec
SumVatCurrency:dec SumTotalIncVatCurrency:dec ItemSourceID:int CurrencyCodeID:CurrencyCode CurrencyExchangeRate:dec
ExternalReference:20 ReadyToInvoice:bool
"""

# Whether every company's customers have it is not certain: a switch takes it away.
PRIVATE = "IsPrivate"
_CUSTOMER = """
CustomerNumber:int OrgNumber:100 BusinessRelationID:BusinessRelation CreditDays:int PaymentTermsID:Terms
DeliveryTermsID:Terms CurrencyCodeID:CurrencyCode DimensionsID:Dimensions DefaultSellerID:int
DefaultDistributionsID:Distributions DefaultCustomerInvoiceReportID:int SubAccountNumberSeriesID:NumberSeries
PeppolAddress:50 GLN:13 EfakturaIdentifier:100 EInvoiceAgreementReference:50 AvtaleGiro:bool IsPrivate:bool
SocialSecurityNumber:20
Localization:10 ReminderEmailAddress:255 DontSendReminders:bool DontUseFactoring:bool VatTypeID:VatType
CustomerGroupID:int InvoiceChargeID:int WebUrl:255 CustomerNumberKidAlias:255
"""

_RELATION = """
Name:255 InvoiceAddressID:Address ShippingAddressID:Address DefaultEmailID:Email DefaultPhoneID:Phone
DefaultContactID:int DefaultBankAccountID:int
"""

_PRODUCT = """
PartName:255 Name:255 Description:500 PriceExVat:dec PriceIncVat:dec CostPrice:dec ListPrice:dec VatTypeID:VatType
AccountID:Account Unit:100 Type:int ExternalProductNumber:50 DefaultProductCategoryID:int DimensionsID:Dimensions
CalculateGrossPriceBasedOnNetPrice:bool
"""

_PROJECT = """
ProjectNumber:255 ProjectNumberNumeric:int ProjectNumberSeriesID:NumberSeries Name:255 Description:500
ProjectCustomerID:Customer ProjectLeadName:255 StartDate:date EndDate:date PlannedStartdate:date PlannedEnddate:date
WorkPlaceAddressID:Address Visible:bool DimensionsID:Dimensions
"""

_DIMENSIONS = "ProjectID:Project DepartmentID:Department ProjectTaskID:int ResponsibleID:int RegionID:int AssetID:int "
_DIMENSIONS += " ".join(f"Dimension{number}ID:int" for number in range(5, 11))

_SETTINGS = """
CompanyName:255 OrganizationNumber:100 BaseCurrencyCodeID:CurrencyCode CustomerCreditDays:int
DefaultSalesAccountID:Account TaxMandatory:bool TaxMandatoryType:int RoundingType:int RoundingNumberOfDecimals:int
ShowNumberOfDecimals:int AccountingLockedDate:date VatLockedDate:date AutoDistributeInvoice:bool
BookCustomerInvoiceOnDeliveryDate:bool ShowKIDOnCustomerInvoice:bool UseFactoring:bool
PresetCustomerInvoiceNumber:bool DefaultDistributionsID:Distributions
TaxableFromDate:date TaxableFromLimit:dec UseFinancialDateToCalculateVatPercent:bool MergeAttachments:bool
OverrideSortIndex:bool StoreDistributedInvoice:bool InvoiceToJournalEntry:int BatchInvoiceMinAmount:dec Factoring:int
FactoringNumber:int CustomerInvoiceReminderSettingsID:CustomerInvoiceReminderSettings
AcceptableDelta4CustomerPayment:dec AcceptableDelta4CustomerPaymentAccountID:Account InterrimPaymentAccountID:Account
Localization:10 PeriodSeriesAccountID:int PeriodSeriesVatID:int
"""

# Source: the Swagger dump of 2021 (docs/facts/unimicro.md §0).
# How KID numbers are made up, and when reminders go out by themselves.
_KID = "Name:100 Type:int Control:int Length:int Locked:bool"
_KID_PART = "PaymentInfoTypeID:PaymentInfoType Part:text Length:int SortIndex:int"
_REMINDERS = """
RemindersBeforeDebtCollection:int MinimumAmountToRemind:dec AcceptPaymentWithoutReminderFee:bool
DefaultProductReminderFeeID:Product DefaultProductInterestFeeID:Product DebtCollectionSettingsID:int
"""

_ALL = (
    Entity(
        name="CustomerInvoice",
        route="invoices",
        fields=to_fields(_INVOICE),
        one={"Customer": "CustomerID", "DefaultDimensions": "DefaultDimensionsID", "PaymentTerms": "PaymentTermsID"}
        | {"DeliveryTerms": "DeliveryTermsID", "JournalEntry": "JournalEntryID", "CurrencyCode": "CurrencyCodeID"},
        many={"Items": ("CustomerInvoiceItem", "CustomerInvoiceID")},
        writable=True,
    ),
    Entity(
        name="CustomerInvoiceItem",
        route="invoiceitems",
        fields=to_fields(_ITEM),
        one={"Product": "ProductID", "VatType": "VatTypeID", "Account": "AccountID", "Dimensions": "DimensionsID"},
        new_status=41301,
    ),
    Entity(
        name="CustomerOrder",
        route="orders",
        fields=to_fields(_ORDER),
        one={"Customer": "CustomerID", "DefaultDimensions": "DefaultDimensionsID", "CurrencyCode": "CurrencyCodeID"},
        many={"Items": ("CustomerOrderItem", "CustomerOrderID")},
        writable=True,
    ),
    Entity(
        name="CustomerOrderItem",
        route="orderitems",
        fields=to_fields(_ORDER_ITEM),
        one={"Product": "ProductID", "VatType": "VatTypeID", "Account": "AccountID", "Dimensions": "DimensionsID"},
        new_status=41101,
    ),
    Entity(
        name="Customer",
        route="customers",
        fields=to_fields(_CUSTOMER),
        one={"Info": "BusinessRelationID", "PaymentTerms": "PaymentTermsID", "DeliveryTerms": "DeliveryTermsID"}
        | {"Dimensions": "DimensionsID", "Distributions": "DefaultDistributionsID"},
        many={"CustomerInvoices": ("CustomerInvoice", "CustomerID")},
        writable=True,
        new_status=30001,
    ),
    Entity(
        name="BusinessRelation",
        route="business-relations",
        fields=to_fields(_RELATION),
        one={"InvoiceAddress": "InvoiceAddressID", "ShippingAddress": "ShippingAddressID"}
        | {"DefaultEmail": "DefaultEmailID", "DefaultPhone": "DefaultPhoneID"},
        many={"Addresses": ("Address", "BusinessRelationID"), "Emails": ("Email", "BusinessRelationID")}
        | {"Phones": ("Phone", "BusinessRelationID")},
    ),
    Entity(
        name="Address",
        route="addresses",
        fields=to_fields(_ADDRESS.format("", 100) + "Region:100 BusinessRelationID:BusinessRelation!"),
    ),
    Entity(
        name="Email",
        route="emails",
        fields=to_fields("EmailAddress:255 Description:255 Type:text BusinessRelationID:BusinessRelation!"),
    ),
    Entity(
        name="Phone",
        route="phones",
        fields=to_fields("Number:100 CountryCode:100 Description:255 Type:int BusinessRelationID:BusinessRelation!"),
    ),
    Entity(
        name="Product",
        route="products",
        fields=to_fields(_PRODUCT),
        one={"VatType": "VatTypeID", "Account": "AccountID", "Dimensions": "DimensionsID"},
        writable=True,
        new_status=35001,
    ),
    Entity(
        name="Project",
        route="projects",
        fields=to_fields(_PROJECT),
        one={"ProjectCustomer": "ProjectCustomerID", "WorkPlaceAddress": "WorkPlaceAddressID"}
        | {"Dimensions": "DimensionsID"},
        writable=True,
        new_status=42201,
    ),
    Entity(
        name="Department",
        route="departments",
        fields=to_fields(
            "DepartmentNumber:100 DepartmentNumberNumeric:int Name:100 DepartmentManagerName:100 Description:500"
        ),
        writable=True,
    ),
    Entity(
        name="Dimensions",
        route="dimensions",
        fields=to_fields(_DIMENSIONS),
        one={"Project": "ProjectID", "Department": "DepartmentID"},
    ),
    *(
        Entity(
            name=f"Dimension{number}",
            route=f"Dimension{number}",
            fields=to_fields("Number:100 NumberNumeric:int Name:255 Description:255"),
            writable=True,
        )
        for number in range(5, 11)
    ),
    Entity(
        name="VatType",
        route="vattypes",
        fields=to_fields("VatCode:10 Name:255 VatPercent:dec OutputVat:bool Visible:bool Locked:bool"),
        many={"VatTypePercentages": ("VatTypePercentage", "VatTypeID")},
    ),
    Entity(
        name="VatTypePercentage",
        route="",
        fields=to_fields("VatTypeID:VatType ValidFrom:date ValidTo:date VatPercent:dec"),
    ),
    Entity(name="CurrencyCode", route="currencycodes", fields=to_fields("Code:3 Name:100 ShortCode:10")),
    Entity(name="Terms", route="terms", fields=to_fields("Name:30 CreditDays:int Description:255 TermsType:int")),
    Entity(
        name="CompanySettings",
        route="companysettings",
        fields=to_fields(_SETTINGS),
        one={"CustomerInvoiceReminderSettings": "CustomerInvoiceReminderSettingsID"}
        | {"Distributions": "DefaultDistributionsID"},
        writable=True,
    ),
    Entity(
        name="PaymentInfoType",
        route="paymentinfotype",
        fields=to_fields(_KID),
        many={"PaymentInfoTypeParts": ("PaymentInfoTypePart", "PaymentInfoTypeID")},
        new_status=42400,
    ),
    Entity(name="PaymentInfoTypePart", route="", fields=to_fields(_KID_PART)),
    Entity(
        name="CustomerInvoiceReminderSettings",
        route="invoiceremindersettings",
        fields=to_fields(_REMINDERS),
        writable=True,
    ),
    Entity(name="User", route="users", fields=to_fields("DisplayName:255 Email:255 GlobalIdentity:text")),
)

ENTITIES = {entity.name: entity for entity in (*_ALL, *LEDGER, *SALE)}
ROUTES = {entity.route: entity for entity in ENTITIES.values()}
