"""Whether rules name only what the company can book on: VAT codes, accounts of sales, one for rounding. Reads only."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime

from app.admin.key_check import open_key_target
from app.domain.reasons.codes import Code, Reason
from app.domain.reference import Reference, RemoteVatType
from app.domain.rounding import choose_rounding_product
from app.domain.rules import Rounding, Rules
from app.errors import RequestError
from app.platform.resources import Resources
from app.tables import Key

_ROUNDING_FIX = (
    "Name an account of the result without VAT that Unimicro has, for example its account for rounding (øreavrunding). "
    "If none of the VAT codes without VAT is open, open one there first."
)


async def verify_rules(resources: Resources, key: Key, rules: Rules, *, known: Rules) -> None:
    """Make sure that the company can book by what the rules name and those in force (`known`) do not.

    It is asked only about such. What was closed since it was named keeps nobody from changing another rule; the plan
    holds what hangs on it.

    Raises:
        RequestError: they name what no sale, or no rounding, may be booked on.
        RemoteError, KeyPausedError, HoldError: the company's codes and accounts could not be read.
    """
    names_more = not _list_named(rules) <= _list_named(known) or rules.sales_accounts != known.sales_accounts
    rounding = None if rules.rounding == known.rounding else rules.rounding
    if not names_more and rounding is None:
        return
    reference = await open_key_target(resources, key).fetch_reference()
    if names_more:
        _require_no_faults(rules, reference, known=known, today=datetime.now(UTC).date())
    if rounding is not None:
        _require_rounding(rounding, reference)


def _require_no_faults(rules: Rules, reference: Reference, *, known: Rules, today: date) -> None:
    told = {_drop_place(fault) for fault in list_faults(known, reference, today=today)}
    faults = [fault for fault in list_faults(rules, reference, today=today) if _drop_place(fault) not in told]
    if not faults:
        return
    usable = [code for code, known in reference.vat_types.items() if _is_usable(known, today)]
    fix = (
        f"Name VAT codes for sales that are open in Unimicro ({', '.join(usable)}) and accounts from 3000 to 3999 that "
        "are not locked there; name any other account of sales under `sales_accounts`, too."
    )
    raise RequestError(f"The rules cannot be used: {'; '.join(faults)}", fix=fix, code=Code.RULES_UNUSABLE)


def _require_rounding(rounding: Rounding, reference: Reference) -> None:
    found = choose_rounding_product(rounding, reference)
    if isinstance(found, Reason):
        raise RequestError(found.cause, fix=_ROUNDING_FIX, code=Code.RULES_UNUSABLE)


def list_faults(rules: Rules, reference: Reference, *, today: date) -> Sequence[str]:
    """What the rules name that no sale may be booked on from today, place by place. Pure."""
    return [*_list_code_faults(rules, reference, today), *_list_account_faults(rules, reference)]


def _list_named(rules: Rules) -> frozenset[str]:
    """Every code and account that is named, wherever."""
    accounts = [*(number for _, number in _list_accounts(rules)), *rules.sales_accounts]
    return frozenset([*(f"code {code}" for _, code in _list_codes(rules)), *(f"account {one}" for one in accounts)])


def _drop_place(fault: str) -> str:
    return fault.partition(": ")[2]


def _list_codes(rules: Rules) -> list[tuple[str, str]]:
    named = [(f"accounting.{n}.vat_code", rule.vat_code) for n, rule in enumerate(rules.accounting)]
    named += [(f"vat_codes.{n}.unimicro", rule.unimicro) for n, rule in enumerate(rules.vat_codes)]
    return [(place, code) for place, code in named if code is not None]


def _list_accounts(rules: Rules) -> list[tuple[str, int]]:
    named = [(f"accounting.{n}.account", rule.account) for n, rule in enumerate(rules.accounting)]
    named += [(f"accounts.{n}.unimicro", rule.unimicro) for n, rule in enumerate(rules.accounts)]
    return [(place, number) for place, number in named if number is not None]


def _list_code_faults(rules: Rules, reference: Reference, today: date) -> Iterator[str]:
    for place, code in _list_codes(rules):
        known = reference.vat_types.get(code, ())
        if not known:
            yield f"{place}: Unimicro has no VAT code {code}"
        elif not _is_usable(known, today):
            yield f"{place}: VAT code {code} {known[0].find_fault(today)} in Unimicro"


def _is_usable(known: Sequence[RemoteVatType], today: date) -> bool:
    """Whether a document of today, or of a later day that Unimicro knows a percentage for, may have the code."""
    return any(
        not one.find_fault(day)
        for one in known
        for day in (
            today,
            *(period.first for period in one.periods if period.first is not None and period.first > today),
        )
    )


def _list_account_faults(rules: Rules, reference: Reference) -> Iterator[str]:
    named = [(f"sales_accounts.{n}", number) for n, number in enumerate(rules.sales_accounts)]
    also = frozenset(rules.sales_accounts)
    for place, number in [*_list_accounts(rules), *named]:
        account = reference.accounts.get(number)
        fault = "is not in Unimicro" if account is None else account.find_fault(also)
        if fault:
            yield f"{place}: account {number} {fault}"
