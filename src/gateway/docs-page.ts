import { createHash } from "node:crypto";

/** The parts of an OpenAPI document that the page shows. */
interface ApiDocument {
  readonly info: {
    readonly title: string;
    readonly version: string;
    readonly description?: string;
  };
  readonly paths?: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

interface Operation {
  readonly summary?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content?: Content };
  readonly responses?: Readonly<Record<string, Response>>;
}

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly schema?: object;
  readonly description?: string;
}

interface Response {
  readonly description?: string;
  readonly content?: Content;
}

type Content = Readonly<Record<string, { readonly schema?: object }>>;

const style = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 50rem; margin: 2rem auto; padding: 0 1rem; }
section { border-top: 1px solid color-mix(in srgb, currentColor 25%, transparent); }
h2 { font-size: 1.1rem; } h2 code { font-size: 1rem; }
dt { font-weight: 600; } dd { margin: 0 0 .5rem 1.5rem; }
pre { overflow: auto; padding: .5rem; background: color-mix(in srgb, currentColor 8%, transparent); }
`;

/** The page has no scripts, and loads nothing. */
export const docsPolicy = [
  "default-src 'none'",
  `style-src 'sha256-${createHash("sha256").update(style).digest("base64")}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Returns the readable page of an OpenAPI document, as HTML. */
export function docsPage({ info, paths = {} }: ApiDocument): string {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => section(method, path, operation)),
  );
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${escaped(info.title)} API</title><style>${style}</style></head><body>`,
    `<h1>${escaped(info.title)} API ${escaped(info.version)}</h1>`,
    `<p>${prose(info.description)} The same as <a href="openapi.json">OpenAPI</a>.</p>`,
    ...operations,
    "</body></html>\n",
  ].join("\n");
}

function section(method: string, path: string, operation: Operation): string {
  const { summary, description, parameters = [], requestBody, responses = {} } = operation;
  const told = parameters.map((one) => item(parameterTitle(one), prose(one.description)));
  const replies = Object.entries(responses).map(([status, { description, content }]) =>
    item(status, `${prose(description)}${Number(status) < 300 ? schemaOf(content) : ""}`),
  );
  return [
    `<section><h2><code>${method.toUpperCase()} ${escaped(path)}</code></h2>`,
    `<p><strong>${escaped(summary ?? "")}.</strong> ${prose(description)}</p>`,
    told.length === 0 ? "" : `<h3>Parameters</h3><dl>${told.join("")}</dl>`,
    requestBody === undefined ? "" : `<h3>Body</h3>${schemaOf(requestBody.content)}`,
    `<h3>Replies</h3><dl>${replies.join("")}</dl></section>`,
  ].join("\n");
}

function parameterTitle({ name, in: place, required = false }: Parameter): string {
  return `${name} (${place}${required ? "" : ", optional"})`;
}

function item(title: string, text: string): string {
  return `<dt>${escaped(title)}</dt><dd>${text}</dd>`;
}

function schemaOf(content: Content = {}): string {
  return Object.entries(content)
    .map(([type, { schema }]) => {
      const text = JSON.stringify(schema, undefined, 1);
      return `<details><summary>${escaped(type)}</summary><pre>${escaped(text)}</pre></details>`;
    })
    .join("");
}

/** Escapes a text, and shows what is in backticks as code. */
function prose(text = ""): string {
  return escaped(text).replace(/`([^`]+)`/g, "<code>$1</code>");
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (found) => `&#${found.charCodeAt(0)};`);
}
