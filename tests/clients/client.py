"""A Python client, generated from the description: cause and fix of a refusal, and three operations."""

import json
import sys
from importlib import import_module

_NAME = "recman_unimicro_client"
address, token, tenant = sys.argv[1:]
generated, invoices = import_module(_NAME), f"{_NAME}.api.invoices"
models = import_module(f"{_NAME}.models")
client = generated.AuthenticatedClient(base_url=address, token=token)

send = import_module(f"{invoices}.send_invoices")
refused = send.sync_detailed(client=client, tenant=tenant, body=models.Wanted())
assert isinstance(refused.parsed, models.Problem), refused

page = import_module(f"{invoices}.list_invoices").sync(client=client, tenant=tenant, kind=models.DocumentKind.INVOICE)
show = import_module(f"{invoices}.show_invoice")
shown = show.sync(client=client, tenant=tenant, transfer_id=page.rows[0].id)
sent = send.sync(client=client, tenant=tenant, body=models.Wanted(ids=[shown.id]))
assert isinstance(sent, models.JobView), sent

told = {name: getattr(refused.parsed, name) for name in ("status", "code", "cause", "fix")}
sys.stdout.write(json.dumps({**told, "number": shown.number, "job": str(sent.state)}) + "\n")
