"""What Unimicro may have of a document from before a key's first day: looked for by number and reference. Reads only.

Systems before this one often kept RecMan's numbers. A number alone is a weak sign, so kind, customer, currency and sums
must agree too before anything is offered for linking.
"""

import re

from app.domain.documents import Document
from app.domain.gaps import Gaps
from app.domain.reasons.codes import Code
from app.domain.reference import DocumentState, RemoteDocument
from app.transfer.books import Books
from app.transfer.context import Run
from app.transfer.log import is_linked
from app.transfer.plan.amounts import compare_totals, is_apart
from app.transfer.plan.customers import find_same_customer
from app.transfer.plan.situation import CustomerView, DocumentSituation, Past, Twin

# The form of our references.
_OURS = re.compile(r"RM-\S")


def was_searched(run: Run, books: Books, past: Past | None) -> bool:
    """Whether it was looked for in these books, is held since, and nobody but RecMan's repeats asks again."""
    if past is None or past.decision is not None or past.searched_key != str(books.key.id):
        return False
    is_asked = not run.events or run.is_asked
    return not is_asked and Code.BEFORE_GO_LIVE in {gap.code for gap in past.held_for}


async def find_twins(
    run: Run, books: Books, document: Document | Gaps, situation: DocumentSituation
) -> tuple[Twin, ...]:
    """Documents there with this number or our reference, each with what differs: nothing where all agrees."""
    if isinstance(document, Gaps):
        return ()
    reference = situation.external_reference
    found = {one.remote_id: one for one in await books.target.find_documents_by_number(document.number)}
    found |= {one.remote_id: one for one in await books.target.find_documents_by_reference(reference)}
    twins = []
    for remote in found.values():
        differences = [*_compare(books, document, remote), *_compare_customer(situation.customer, remote)]
        if remote.external_reference != reference and _OURS.match(remote.external_reference):
            differences.append(f"it carries the reference {remote.external_reference} of another document")
        if await _is_taken(run, books, situation.past, remote):
            differences.append("another document of RecMan's is this one already")
        twins.append(Twin(remote, tuple(differences)))
    return tuple(twins)


def _compare(books: Books, document: Document, remote: RemoteDocument) -> list[str]:
    differences = []
    if remote.kind is not document.kind:
        differences.append("one of the two is a credit note, the other is not")
    if remote.state is not DocumentState.ISSUED:
        differences.append(f"there it is {remote.state.value}")
    if remote.currency_id not in (None, books.reference.currencies.get(document.currency)):
        differences.append(f"it is not in {document.currency}")
    totals = compare_totals(document, remote)
    if totals is not None and is_apart(totals):
        differences.append(totals.cause[0].lower() + totals.cause[1:])
    return differences


def _compare_customer(customer: CustomerView | None, remote: RemoteDocument) -> list[str]:
    known = find_same_customer(customer) if customer is not None else None
    if known is not None and remote.customer_id == known:
        return []
    return [f"it belongs to another customer (id {remote.customer_id})"]


async def _is_taken(run: Run, books: Books, past: Past | None, remote: RemoteDocument) -> bool:
    besides = past.transfer_id if past is not None else 0
    async with run.sessions() as session:
        return await is_linked(session, key_id=books.key.id, remote_id=remote.remote_id, besides=besides)
