// A TypeScript client, generated from the description: cause and fix of a refusal, and three operations.
import createClient from "openapi-fetch";
import type { paths } from "./schema";

const [baseUrl, token, tenant] = process.argv.slice(2);
const client = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${token}` } });
const query = { tenant };

const refused = await client.POST("/v1/invoices/send", { params: { query }, body: { everything: false } });
if (!refused.error) throw new Error("nothing was named, and it was not refused");
const { code, cause, fix } = refused.error;

const listed = await client.GET("/v1/invoices", { params: { query: { ...query, kind: "invoice" } } });
const page = listed.data;
if (!page || typeof page === "string") throw new Error(listed.error?.cause);
const shown = await client.GET("/v1/invoices/{transfer_id}", {
  params: { path: { transfer_id: page.rows[0].id }, query },
});
if (!shown.data) throw new Error(shown.error?.cause);
const sent = await client.POST("/v1/invoices/send", { params: { query }, body: { ids: [shown.data.id], everything: false } });
if (!sent.data) throw new Error(sent.error?.cause);

console.log(
  JSON.stringify({ status: refused.response.status, code, cause, fix, number: shown.data.number, job: sent.data.state }),
);
