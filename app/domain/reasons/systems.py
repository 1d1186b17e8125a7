"""What may be the matter with keys, sign-ins, and the two systems behind them."""

from app.domain.reasons.codes import Code
from app.domain.reasons.rows import Change, Mender, Row, Text

ROWS = (
    Row(
        code=Code.NO_KEY,
        mender=Mender.ADMINISTRATOR,
        sentence=Text("No key serves the department."),
        fix=Text(
            "Sign in to Unimicro for the department (POST /v1/keys/connect), give it a key that is there (PUT "
            "/v1/departments/{department_id}/key), or open a key to all departments (PATCH "
            "/v1/keys/{key_id}): then it goes on by itself."
        ),
        wakes=frozenset({Change.KEY_CHANGED, Change.DEPARTMENT_ASSIGNED}),
    ),
    Row(
        code=Code.KEY_REMOVED,
        mender=Mender.ADMINISTRATOR,
        sentence=Text("The document's key was removed."),
        fix=Text(
            "Say which key shall have it: POST /v1/keys/{key_id}/take-over with from_key_id {former_id} "
            "(everything that waits, or `ids`), or PUT /v1/departments/{department_id}/key for its "
            "department; or ignore it (POST /v1/transfers/{transfer_id}/ignore)."
        ),
        cases={
            "department": Text(
                "Say which key serves it now: PUT /v1/departments/{department_id}/key (null: the key open to "
                "all), or POST /v1/keys/{key_id}/take-over with from_key_id {former_id}."
            ),
            "begun": Text(
                "Look for it in Unimicro ({company}). If it is booked there, ignore it here (POST "
                "/v1/transfers/{transfer_id}/ignore); if it is not, delete its draft there, ignore it here and "
                "retry it."
            ),
            "begun_with": Text(
                "Say which key shall have what it left behind: POST /v1/keys/{key_id}/take-over with from_key_id "
                "{former_id}; look in Unimicro for what was begun with it."
            ),
            "open_invoice": Text(
                "Hand the invoice to another key first: POST /v1/keys/{key_id}/take-over with from_key_id {former_id}."
            ),
            "booked_invoice": Text(
                "Credit the invoice in Unimicro by hand ({company}, number {remote_number}) and ignore this "
                "credit note; or link the invoice with the key that serves its department now (POST "
                "/v1/invoices/{invoice_id}/done-elsewhere): then this credit note follows it."
            ),
            "part": Text("Nothing to do: the next key makes it again."),
        },
        menders={"begun": Mender.ACCOUNTANT, "booked_invoice": Mender.ACCOUNTANT, "part": Mender.NOBODY},
        wakes=frozenset({Change.DEPARTMENT_MOVED, Change.INVOICE_ASSIGNED}),
    ),
    Row(
        code=Code.KEY_PAUSED,
        mender=Mender.ADMINISTRATOR,
        sentence=Text("The key rests."),
        fix=Text("Resume the key: PATCH /v1/keys/{key_id} with state `active`."),
        cases={
            "for_a_while": Text("Nothing to do: it goes on by itself."),
        },
        menders={"for_a_while": Mender.NOBODY},
    ),
    Row(
        code=Code.SIGN_IN_AGAIN,
        mender=Mender.ADMINISTRATOR,
        sentence=Text("The sign-in is no longer good."),
        fix=Text(
            "An administrator must sign in to Unimicro again (POST /v1/keys/connect); everything waits until then."
        ),
        cases={
            "server": Text(
                "Take the certificate file (PKCS#12) and its password from Unimicro's developer portal, and enter "
                "them again (POST /v1/keys/connect)."
            ),
            "recman": Text(
                "Make a new API key in RecMan (System Settings, API) and enter it for the tenant (PATCH "
                "/v1/tenants/{tenant_id})."
            ),
        },
        menders={"recman": Mender.RECMAN_ADMINISTRATOR},
    ),
    Row(
        code=Code.API_HOST_NOT_ALLOWED,
        mender=Mender.OPERATOR,
        sentence=Text("Unimicro names an API that we do not trust."),
        fix=Text(
            "If the host belongs to Unimicro, an operator adds it to RMU_UNIMICRO_ALLOWED_HOSTS; then sign in again."
        ),
    ),
    Row(
        code=Code.BASE_CURRENCY_UNKNOWN,
        mender=Mender.UNIMICRO_ADMINISTRATOR,
        sentence=Text("The company does not say which currency it keeps its books in."),
        fix=Text("Choose it in Unimicro under Settings, Company settings, then retry."),
    ),
    Row(
        code=Code.VAT_DUTY_UNKNOWN,
        mender=Mender.UNIMICRO_ADMINISTRATOR,
        sentence=Text("The company does not say whether it is registered for VAT."),
        fix=Text("Choose it in Unimicro under Settings, Company settings, then retry."),
    ),
    Row(
        code=Code.RIGHTS_MISSING,
        mender=Mender.UNIMICRO_ADMINISTRATOR,
        sentence=Text("The user who signed in lacks a right."),
        fix=Text(
            "Give the user who signed in the roles Administrator and full access to sales in Unimicro, then retry."
        ),
    ),
    Row(
        code=Code.COMPANY_REFUSED,
        mender=Mender.UNIMICRO_ADMINISTRATOR,
        sentence=Text("The user who signed in may not use the company."),
        fix=Text("Give the user who signed in access to the company in Unimicro; then it goes on by itself."),
    ),
    Row(
        code=Code.TOKEN_REFUSED,
        mender=Mender.NOBODY,
        sentence=Text("Unimicro does not take a fresh token."),
        fix=Text(
            "Nothing to do: it goes on by itself. If it stays so for hours, sign in again (POST /v1/keys/connect)."
        ),
    ),
    Row(
        code=Code.CLIENT_REFUSED,
        mender=Mender.OPERATOR,
        sentence=Text("The identity server does not take our client."),
        fix=Text("An operator checks RMU_UNIMICRO_CLIENT_ID and RMU_UNIMICRO_CLIENT_SECRET."),
    ),
    Row(
        code=Code.ISSUER_UNUSABLE,
        mender=Mender.OPERATOR,
        sentence=Text("The identity server does not answer as one."),
        fix=Text("An operator checks RMU_UNIMICRO_ISSUER."),
    ),
    Row(
        code=Code.SCOPE_REFUSED,
        mender=Mender.OPERATOR,
        sentence=Text("The identity server does not let our client ask for these rights."),
        fix=Text(
            "An operator asks Unimicro's staff to allow offline_access for the client: the developer portal leaves it "
            "out, and pressing Save there afterwards takes it away again. A client keeps the scopes that its "
            "application had when the client was made: after other changes of scopes make a new one."
        ),
    ),
    Row(
        code=Code.NO_OFFLINE_ACCESS,
        mender=Mender.OPERATOR,
        sentence=Text("The sign-in does not last."),
        fix=Text("Allow offline_access for the client in Unimicro's developer portal, then sign in again."),
    ),
    Row(
        code=Code.WRONG_ISSUER,
        mender=Mender.ADMINISTRATOR,
        sentence=Text("The sign-in came back from somebody else."),
        fix=Text("Begin the sign-in again."),
    ),
    Row(
        code=Code.SIGN_IN_REFUSED,
        mender=Mender.ADMINISTRATOR,
        sentence=Text("The identity server refused the sign-in."),
        fix=Text("Begin the sign-in again."),
    ),
    Row(
        code=Code.SIGN_IN_MISMATCH,
        mender=Mender.ADMINISTRATOR,
        sentence=Text("The sign-in that came back is another one."),
        fix=Text("Begin the sign-in again."),
    ),
    Row(
        code=Code.RECMAN_PAUSED,
        mender=Mender.NOBODY,
        sentence=Text("RecMan rests."),
        fix=Text("Nothing to do: it goes on by itself."),
    ),
    Row(
        code=Code.RECMAN_QUOTA,
        mender=Mender.NOBODY,
        sentence=Text("Today's calls to RecMan are used up."),
        fix=Text("Nothing to do: it goes on by itself. If RecMan allows more, raise daily_calls (PATCH /v1/recman)."),
    ),
    Row(
        code=Code.RECMAN_UNSHOWN,
        mender=Mender.ADMINISTRATOR,
        sentence=Text("Too many of today's calls went to ids that RecMan does not show."),
        fix=Text(
            "It goes on within the hour, or as soon as a sweep shows the record (POST /v1/recman/sweep). If nobody of "
            "yours sends ids that are not there, somebody else knows the hook's address: rotate it "
            "(POST /v1/hooks/…/rotate)."
        ),
    ),
    Row(
        code=Code.RECMAN_REFUSED,
        mender=Mender.CLERK,
        sentence=Text("RecMan refused in a way that we do not know."),
        fix=Text("Give the operator this text."),
    ),
    Row(
        code=Code.RECMAN_SCOPE,
        mender=Mender.RECMAN_ADMINISTRATOR,
        sentence=Text("The RecMan API key lacks a right."),
        fix=Text("Give the RecMan API key the right to read {scope}, then retry."),
    ),
    Row(
        code=Code.REMOTE,
        mender=Mender.NOBODY,
        sentence=Text("The other system has trouble."),
        fix=Text("Nothing to do: it is tried again by itself."),
    ),
    Row(
        code=Code.REMOTE_MISSING,
        mender=Mender.ACCOUNTANT,
        sentence=Text("Unimicro has no such record."),
        fix=Text("Check in Unimicro whether it was deleted, then retry."),
    ),
    Row(
        code=Code.REMOTE_REJECTED,
        mender=Mender.ACCOUNTANT,
        sentence=Text("The other system refused."),
        fix=Text(
            "Where Unimicro complains about the customer, a product or the company, mend that there, then "
            "retry; where it complains about the document itself, enter that in Unimicro by hand and link it "
            "(POST /v1/invoices/{transfer_id}/done-elsewhere)."
        ),
    ),
    Row(
        code=Code.REMOTE_THROTTLED,
        mender=Mender.NOBODY,
        sentence=Text("The other system asks for a pause."),
        fix=Text("Nothing to do: it goes on after the pause."),
    ),
    Row(
        code=Code.REMOTE_UNAVAILABLE,
        mender=Mender.NOBODY,
        sentence=Text("The other system does not answer."),
        fix=Text("Nothing to do: it is tried again by itself."),
    ),
    Row(
        code=Code.OUTCOME_UNKNOWN,
        mender=Mender.NOBODY,
        sentence=Text("A write got no answer."),
        fix=Text("Nothing to do: it is looked up before it is sent again."),
    ),
    Row(
        code=Code.ALREADY_PROCESSED,
        mender=Mender.NOBODY,
        sentence=Text("Unimicro has seen the write before."),
        fix=Text("Nothing to do: it is looked up before it is sent again."),
    ),
    Row(
        code=Code.NUMBER_MISSING,
        mender=Mender.NOBODY,
        sentence=Text("Unimicro has not shown the number yet."),
        fix=Text("Nothing to do: it is looked for again by itself."),
    ),
    Row(
        code=Code.HELD,
        mender=Mender.CLERK,
        sentence=Text("A person must decide."),
        fix=Text("Do what the single reasons say, then retry."),
    ),
    Row(
        code=Code.STALE_LEASE,
        mender=Mender.NOBODY,
        sentence=Text("Another worker has taken over."),
        fix=Text("Nothing to do: the other worker goes on with it."),
    ),
    Row(
        code=Code.DATABASE_AWAY,
        mender=Mender.CLERK,
        sentence=Text("The database does not answer."),
        fix=Text("Nothing was stored; try again in a few seconds."),
        cases={
            "schema": Text("An operator runs `recman-unimicro migrate`."),
            "schema_newer": Text("An operator starts the version that made it, or restores a backup of this one's."),
            "schema_foreign": Text("An operator names an empty database of our own in DATABASE_URL."),
        },
        menders=dict.fromkeys(("schema", "schema_newer", "schema_foreign"), Mender.OPERATOR),
    ),
    Row(
        code=Code.CANNOT_START,
        mender=Mender.OPERATOR,
        sentence=Text("A process cannot start."),
        fix=Text("An operator does what the text says, and starts it again."),
        cases={
            "token": Text("An operator starts it where its output can be read, or sets RMU_BOOTSTRAP_TOKEN."),
            "port": Text("An operator stops whoever has it, or names another with RMU_HOST and RMU_PORT."),
            "address": Text(
                "An operator sets DATABASE_URL to an address like postgresql://user:password@host/database."
            ),
            "away": Text("An operator checks DATABASE_URL and that Postgres runs."),
            "citus": Text("An operator runs CREATE EXTENSION citus in the database first, or leaves --citus out."),
            "login": Text("An operator checks user, password and database in DATABASE_URL."),
            "rights": Text("An operator makes the user the owner of the database, or grants it what is missing."),
            "read_only": Text("An operator names the server that is written to in DATABASE_URL; this one is its copy."),
            "connections": Text(
                "An operator lowers RMU_DATABASE_CONNECTIONS or RMU_WEBHOOK_CONNECTIONS, raises max_connections of "
                "Postgres, or puts a pooler before it."
            ),
            "pooler": Text("An operator sets DATABASE_POOLED=true, and DATABASE_DIRECT_URL to Postgres itself."),
            "direct": Text("An operator sets DATABASE_DIRECT_URL to Postgres itself, or leaves it out."),
        },
    ),
    Row(
        code=Code.EMBEDDED_POSTGRES,
        mender=Mender.OPERATOR,
        sentence=Text("The Postgres of our own cannot be used."),
        fix=Text("Do what the text says, or set DATABASE_URL to a server."),
    ),
    Row(
        code=Code.ENCRYPTION_KEY_MISSING,
        mender=Mender.OPERATOR,
        sentence=Text("Secrets cannot be stored without a key."),
        fix=Text("An operator makes a key with `recman-unimicro doctor --new-key` and sets RMU_ENCRYPTION_KEYS to it."),
    ),
    Row(
        code=Code.SECRET_UNREADABLE,
        mender=Mender.OPERATOR,
        sentence=Text("A stored secret cannot be read with the present keys."),
        fix=Text(
            "An operator puts back the key that it was sealed with in RMU_ENCRYPTION_KEYS; or the secret is "
            "entered again."
        ),
    ),
    Row(
        code=Code.INTERNAL,
        mender=Mender.CLERK,
        sentence=Text("Something unexpected happened."),
        fix=Text("Try again; if it stays, give the operator the time of the call."),
    ),
    Row(
        code=Code.UNEXPECTED,
        mender=Mender.CLERK,
        sentence=Text("Something unexpected stopped the transfer."),
        fix=Text("If it stays, give the operator this transfer's id."),
    ),
)
