import { Problem } from "../platform/problem.ts";
import { fieldsOf } from "../protocol/fields.ts";

/**
 * The format of all files that this version writes (O60). It rises when an older version could no
 * longer read them. Files without the field have format 1.
 */
export const fileFormat = 1;

/**
 * Refuses the content of a file that a newer version has written.
 * @throws Problem if the field `format` is above `fileFormat`
 */
export function checkFormat(path: string, content: unknown): void {
  const { format } = fieldsOf(content);
  if (typeof format !== "number" || format <= fileFormat) return;
  const reads = `this version reads formats up to ${fileFormat}`;
  throw new Problem(`${path} has format ${format}, and ${reads}: start the newer version again.`);
}
