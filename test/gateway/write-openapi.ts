import { writeFile } from "node:fs/promises";
import { apiDocument } from "./api-document.ts";

/** `npm run openapi`: writes the committed description of the API. */
await writeFile(new URL("../../docs/openapi.json", import.meta.url), await apiDocument());
