"""What may be the matter with customers, products, projects and departments, on either side."""

from app.domain.reasons.codes import Code
from app.domain.reasons.rows import Change, Mender, Row, Text

ROWS = (
    Row(
        code=Code.CUSTOMER_MISSING,
        mender=Mender.CLERK,
        sentence=Text("RecMan does not show the customer."),
        fix=Text("Check in RecMan that the customer exists and that the API key may read companies, then retry."),
    ),
    Row(
        code=Code.CUSTOMER_INACTIVE,
        mender=Mender.UNIMICRO_ADMINISTRATOR,
        sentence=Text("The customer is inactive in Unimicro."),
        fix=Text("Activate the customer in Unimicro, then retry."),
        cases={"compared": Text("Activate the customer in Unimicro.")},
    ),
    Row(
        code=Code.CUSTOMER_NOT_IN_UNIMICRO,
        mender=Mender.CLERK,
        sentence=Text("The customer is not in Unimicro, and the key makes none."),
        fix=Text(
            "Let the key make customers (customer_number, PUT /v1/rules): then it goes on by itself; or make "
            "the customer in Unimicro with number {number}, then retry."
        ),
        cases={
            "compared": Text(
                "Let the key make customers (customer_number, PUT /v1/rules); or make the customer in Unimicro with "
                "number {number}."
            ),
        },
        wakes=frozenset({Change.RULES_CHANGED}),
    ),
    Row(
        code=Code.CUSTOMER_NOT_THE_ONE,
        mender=Mender.CLERK,
        sentence=Text("The linked customer is another one by now."),
        fix=Text(
            "See in Unimicro which customer is meant. Once RecMan and Unimicro have one number for it, retry "
            "the customer (POST /v1/transfers/{transfer_id}/retry, kind customer) and then this document; or release "
            "the link (DELETE /v1/keys/{key_id}/customer-links/{recman_company_id}): then the customer is looked for, "
            "or made, again."
        ),
        cases={
            "compared": Text(
                "Give it one number in RecMan and Unimicro, or release the link (DELETE "
                "/v1/keys/{key_id}/customer-links/{recman_company_id})."
            ),
        },
        wakes=frozenset({Change.LINK_RELEASED}),
    ),
    Row(
        code=Code.CUSTOMER_DELETED,
        mender=Mender.CLERK,
        sentence=Text("The linked customer was deleted in Unimicro."),
        fix=Text(
            "Restore the customer in Unimicro, then retry; or release the link (DELETE "
            "/v1/keys/{key_id}/customer-links/{recman_company_id}): then the customer is looked for, or made, again "
            "and this goes on by itself."
        ),
        cases={
            "compared": Text(
                "Restore the customer in Unimicro, or release the link (DELETE "
                "/v1/keys/{key_id}/customer-links/{recman_company_id})."
            ),
        },
        wakes=frozenset({Change.LINK_RELEASED}),
    ),
    Row(
        code=Code.CUSTOMER_NUMBER_CLASH,
        mender=Mender.CLERK,
        sentence=Text("One customer number means two customers."),
        fix=Text("Give one of the two another customer number so that both systems agree, then retry."),
        cases={"compared": Text("Give one of the two another customer number so that both systems agree.")},
        wakes=frozenset({Change.CUSTOMER_LINKED}),
    ),
    Row(
        code=Code.CUSTOMER_NUMBER_NOT_KEPT,
        mender=Mender.CLERK,
        sentence=Text("Unimicro gave the customer another number."),
        fix=Text("Give the customer number {given} in RecMan (or {number} in Unimicro), then retry."),
        wakes=frozenset({Change.CUSTOMER_LINKED, Change.RULES_CHANGED}),
    ),
    Row(
        code=Code.CUSTOMER_NUMBER_NOT_TAKEN,
        mender=Mender.ADMINISTRATOR,
        sentence=Text("Unimicro gives customers numbers of its own."),
        fix=Text(
            "Let Unimicro number customers (customer_number: linked, PUT /v1/rules): then it goes on by itself. Or "
            "import the customer into Unimicro with number {number}, then retry."
        ),
        wakes=frozenset({Change.RULES_CHANGED}),
    ),
    Row(
        code=Code.CUSTOMER_NUMBER_OUTSIDE_SERIES,
        mender=Mender.CLERK,
        sentence=Text("The customer number is outside Unimicro's series."),
        fix=Text(
            "Change the customer's number in RecMan, or widen the customer number series in Unimicro, then retry."
        ),
        cases={
            "compared": Text(
                "Change the customer's number in RecMan, or widen the customer number series in Unimicro."
            ),
        },
        wakes=frozenset({Change.RULES_CHANGED}),
    ),
    Row(
        code=Code.CUSTOMER_NUMBER_TWICE,
        mender=Mender.UNIMICRO_ADMINISTRATOR,
        sentence=Text("Unimicro may have the customer more than once."),
        fix=Text("Merge or renumber them in Unimicro, then retry."),
        cases={"compared": Text("Merge or renumber them in Unimicro.")},
        wakes=frozenset({Change.CUSTOMER_LINKED}),
    ),
    Row(
        code=Code.CUSTOMER_UNDER_OTHER_NUMBER,
        mender=Mender.CLERK,
        sentence=Text("The customer has another number in Unimicro."),
        fix=Text(
            "If it is the same customer, give it number {remote_number} in RecMan, or {number} in Unimicro, then "
            "retry. If several customers share the organisation number (departments of a municipality, branches), "
            "say so once (POST /v1/keys/{key_id}/shared-org-numbers with org_number {org_number}): then it goes on by "
            "itself."
        ),
        cases={
            "compared": Text(
                "If it is the same customer, give it number {remote_number} in RecMan, or {number} in Unimicro. If "
                "several customers share the organisation number, say so once (POST "
                "/v1/keys/{key_id}/shared-org-numbers with org_number {org_number})."
            ),
            "both_new": Text(
                "If several customers share the organisation number (departments of a municipality, branches), say so "
                "once (POST /v1/keys/{key_id}/shared-org-numbers with org_number {org_number}); if they are one "
                "customer, make them one in RecMan."
            ),
            "linked": Text(
                "If it is the same customer, link it with number {remote_number} (POST "
                "/v1/keys/{key_id}/customer-links); if several customers share the organisation number, say so once "
                "(POST /v1/keys/{key_id}/shared-org-numbers with org_number {org_number}): then it goes on by itself."
            ),
        },
        wakes=frozenset({Change.CUSTOMER_LINKED, Change.NUMBER_SHARED, Change.RULES_CHANGED}),
    ),
    Row(
        code=Code.CUSTOMER_CHECK_MISSING,
        mender=Mender.ADMINISTRATOR,
        sentence=Text("The customers were never compared."),
        fix=Text(
            "Run the customer check (POST /v1/keys/{key_id}/customer-check), mend what it finds, or accept it "
            "(POST /v1/keys/{key_id}/customer-check/accept): then it goes on by itself."
        ),
    ),
    Row(
        code=Code.ORG_NUMBER_INVALID,
        mender=Mender.CLERK,
        sentence=Text("The customer's organisation number is none."),
        fix=Text("Correct it in RecMan; a foreign one begins with its country, such as SE."),
    ),
    Row(
        code=Code.GLN_UNCLEAR,
        mender=Mender.CLERK,
        sentence=Text("The customer's GLN cannot be used."),
        fix=Text("Enter all thirteen digits in RecMan, or enter it in Unimicro by hand."),
    ),
    Row(
        code=Code.PEPPOL_UNCLEAR,
        mender=Mender.CLERK,
        sentence=Text("The address for electronic invoices cannot be used."),
        fix=Text("Enter it in RecMan as scheme and number, such as 0192:999999999, or in Unimicro by hand."),
    ),
    Row(
        code=Code.PRODUCT_UNKNOWN,
        mender=Mender.UNIMICRO_ADMINISTRATOR,
        sentence=Text("The product is not in Unimicro."),
        fix=Text("Create product {number} in Unimicro (with sales account and VAT), then retry."),
        wakes=frozenset({Change.RULES_CHANGED}),
    ),
    Row(
        code=Code.PRODUCT_INACTIVE,
        mender=Mender.UNIMICRO_ADMINISTRATOR,
        sentence=Text("The product is inactive in Unimicro."),
        fix=Text("Activate product {number} in Unimicro, then retry."),
        wakes=frozenset({Change.RULES_CHANGED}),
    ),
    Row(
        code=Code.PRODUCT_AMBIGUOUS,
        mender=Mender.UNIMICRO_ADMINISTRATOR,
        sentence=Text("Unimicro has the product number more than once."),
        fix=Text("Renumber or close the extra product in Unimicro, then retry."),
    ),
    Row(
        code=Code.PRODUCT_WITHOUT_VAT,
        mender=Mender.ACCOUNTANT,
        sentence=Text("The product has no VAT in Unimicro."),
        fix=Text(
            "Set the account and VAT of product {number} in Unimicro, then retry; or make a rule for it (PUT "
            "/v1/rules): then it goes on by itself."
        ),
        wakes=frozenset({Change.RULES_CHANGED}),
    ),
    Row(
        code=Code.PRODUCT_GONE,
        mender=Mender.UNIMICRO_ADMINISTRATOR,
        sentence=Text("A product that we made is not there any more."),
        fix=Text("Create product {number} in Unimicro by hand (with sales account and VAT), then retry."),
    ),
    Row(
        code=Code.PRODUCT_MISSING,
        mender=Mender.ADMINISTRATOR,
        sentence=Text("A line has a price and no product."),
        fix=Text(
            "Name a product for lines of this VAT rate under `fallback_products` of the rules (PUT /v1/rules): then it "
            "goes on by itself."
        ),
        wakes=frozenset({Change.RULES_CHANGED}),
    ),
    Row(
        code=Code.PROJECT_AMBIGUOUS,
        mender=Mender.UNIMICRO_ADMINISTRATOR,
        sentence=Text("Unimicro has the project number more than once."),
        fix=Text("Renumber or close the extra project in Unimicro, then retry."),
    ),
    Row(
        code=Code.PROJECT_GONE,
        mender=Mender.CLERK,
        sentence=Text("RecMan no longer lists the project."),
        fix=Text("Add the project in Unimicro by hand if it matters."),
    ),
    Row(
        code=Code.PROJECT_STATUS,
        mender=Mender.CLERK,
        sentence=Text("The project's status could not be set."),
        fix=Text("Set the project's status in Unimicro by hand."),
    ),
    Row(
        code=Code.DEPARTMENT_AMBIGUOUS,
        mender=Mender.UNIMICRO_ADMINISTRATOR,
        sentence=Text("Unimicro has the department number more than once."),
        fix=Text("Renumber or close the extra department in Unimicro, then retry."),
    ),
    Row(
        code=Code.DEPARTMENT_WITHOUT_NUMBER,
        mender=Mender.RECMAN_ADMINISTRATOR,
        sentence=Text("The department has no number in RecMan."),
        fix=Text("Give the department a number in RecMan if it should be a dimension in Unimicro."),
    ),
    Row(
        code=Code.LINE_DEPARTMENT_UNKNOWN,
        mender=Mender.UNIMICRO_ADMINISTRATOR,
        sentence=Text("The line's department is not in Unimicro."),
        fix=Text("Create the department in Unimicro with that number if it matters."),
    ),
)
