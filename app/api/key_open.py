"""Letting a key go on: once it is proven, or after it was stopped."""

from uuid import UUID

from fastapi import APIRouter

from app.admin.keys import load_key
from app.admin.proving import record_opened, record_word
from app.api.doors import AdminDoor, ResourcesDep
from app.api.key_answers import sign
from app.api.key_shows import view_key
from app.api.key_views import KeyView, OpeningOrder
from app.api.views import problems
from app.domain.reasons.rows import Change
from app.engine.lanes import wake_key
from app.engine.wakeup import wake_workers
from app.transfer.proof import accept_differences
from app.transfer.retry import retry_held

router = APIRouter(prefix="/v1/keys", tags=["keys"])


@router.post(
    "/{key_id}/open", operation_id="open_key", responses=problems(_404="not_found", _409="key_unproven, key_is_open")
)
async def open_for_good(door: AdminDoor, resources: ResourcesDep, key_id: UUID, word: OpeningOrder) -> KeyView:
    """Let a proven key send without waiting, or one that was stopped go on as before.

    Whoever opens a key that was stopped accepts the difference that stopped it.
    """
    key = await load_key(door.session, key_id, lock=True)
    before = await view_key(door, key)
    await record_opened(door.session, key)
    # The key, lanes and transfers, what is kept of its proving: in this order, as workers take them.
    await retry_held(door.session, tenant_id=key.tenant_id, change=Change.KEY_OPENED)
    await accept_differences(door.session, key)
    await record_word(door.session, key, await sign(door, word))
    after = await view_key(door, key)
    await wake_key(door.session, tenant_id=key.tenant_id, key_id=key.id)
    told = {"proof": after.proof.model_dump(mode="json")}
    was = {"proof": before.proof.model_dump(mode="json")}
    await door.record("key.open", f"key:{key.id}", tenant_id=key.tenant_id, before=was, after=told)
    await door.session.commit()
    wake_workers(resources)
    return after
