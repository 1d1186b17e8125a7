"""The entities around a sale: how documents are sent, reminded of, and linked with each other.

Source: docs/facts/unimicro.md §0 (swagger) for names and types, §4.2 for routes; lengths are assumed.
"""

from app.sandbox.unimicro.kinds import Entity, to_fields

_PLAN = "Name:100 EntityType:100"
_ELEMENT = "DistributionPlanID:DistributionPlan DistributionPlanElementTypeID:DistributionPlanElementType Priority:int"
_SHARING = """
EntityID:int EntityType:100 Type:100 From:255 To:255 Subject:255 ExternalMessage:text ExternalReference:255 JobRunID:int
"""
_REMINDER = """
CustomerInvoiceID:CustomerInvoice! ReminderNumber:int RunNumber:int RemindedDate:date DueDate:date Title:255
Description:text EmailAddress:255 Notified:bool RestAmount:dec RestAmountCurrency:dec ReminderFee:dec
ReminderFeeCurrency:dec InterestFee:dec InterestFeeCurrency:dec CurrencyCodeID:CurrencyCode CurrencyExchangeRate:dec
"""
_TRACELINK = """
Date:date SourceEntityName:100 SourceInstanceID:int DestinationEntityName:100 DestinationInstanceID:int
"""

SALE = (
    Entity(
        name="DistributionPlan",
        route="distributions",
        fields=to_fields(_PLAN),
        many={"Elements": ("DistributionPlanElement", "DistributionPlanID")},
    ),
    Entity(
        name="DistributionPlanElement",
        route="",
        fields=to_fields(_ELEMENT),
        one={"ElementType": "DistributionPlanElementTypeID"},
    ),
    Entity(name="DistributionPlanElementType", route="", fields=to_fields("Name:100")),
    Entity(
        name="Distributions",
        route="",
        fields=to_fields("CustomerInvoiceDistributionPlanID:DistributionPlan"),
        one={"CustomerInvoiceDistributionPlan": "CustomerInvoiceDistributionPlanID"},
    ),
    Entity(name="Sharing", route="sharings", fields=to_fields(_SHARING)),
    Entity(name="CustomerInvoiceReminder", route="invoicereminders", fields=to_fields(_REMINDER)),
    Entity(name="Tracelink", route="", fields=to_fields(_TRACELINK)),
)
