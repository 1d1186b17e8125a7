"""A trial that needs a setting of the company turned, and turned back: a number where the company presets them.

Source: docs/facts/unimicro.md §4.3 C: field and action are known, their meaning is not. What turns the setting off is
assumed: the field, else the action once more; whatever is tried is read afterwards.
"""

from contextlib import suppress

from app.accounting.unimicro.trials.bench import Bench, UntoldError
from app.accounting.unimicro.trials.drafts import Told
from app.accounting.unimicro.trials.issuing import try_number
from app.errors import OutcomeUnknownError, RemoteRejectedError, System

_FIELD = "PresetCustomerInvoiceNumber"
# A thing's route says how the setting was, which must be known before it is turned.
WAS = {True: "preset_was_on", False: "preset_was_off"}
_WORD = {True: "on", False: "off"}


async def try_preset(bench: Bench) -> Told:
    """Whether a posted number is taken with the setting the other way; `take_back` turns it back."""
    was = await _read(bench)
    if was is None:
        raise UntoldError(f"the company's settings do not show {_FIELD}; {_by_hand(is_on=True)}")
    thing = await bench.notebook.note(WAS[was], f"preset invoice numbers, which were {_WORD[was]}")
    if not await turn_preset(bench, is_on=not was):
        await bench.notebook.refused(thing)
        raise UntoldError(f"Unimicro does not let us turn {_FIELD}; {_by_hand(is_on=not was)}")
    await bench.notebook.found(thing, remote_id=1)
    return await try_number(bench)


def _by_hand(*, is_on: bool) -> str:
    return (
        f"turn preset invoice numbers {_WORD[is_on]} by hand in Unimicro's company settings, run "
        "`recman-unimicro golive run --only number` again, then turn them back"
    )


async def turn_preset(bench: Bench, *, is_on: bool) -> bool:
    """Whether the setting is so by now."""
    if await _read(bench) is not is_on:
        with suppress(RemoteRejectedError):
            await bench.client.update("companysettings/1", {"ID": 1, _FIELD: is_on})
    if await _read(bench) is not is_on:
        with suppress(RemoteRejectedError):
            await bench.client.act("PUT", "companysettings", "preset-customerInvoiceNumber")
    return await _read(bench) is is_on


async def _read(bench: Bench) -> bool | None:
    settings = await bench.look("companysettings/1")
    value = settings.get(_FIELD)
    return value if isinstance(value, bool) else None


async def turn_back(bench: Bench, *, was_on: bool) -> None:
    """The setting as it was.

    Raises:
        OutcomeUnknownError: Unimicro does not let us; a person must.
    """
    if not await turn_preset(bench, is_on=was_on):
        cause = f"Unimicro does not let us turn preset invoice numbers {_WORD[was_on]} again; do it by hand there"
        raise OutcomeUnknownError(cause, system=System.UNIMICRO)
