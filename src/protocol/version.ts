/**
 * Compares two versions by the order of Semantic Versioning 2.0 (section 11): `1.0.0-rc.1` is below
 * `1.0.0`, and `1.9.0` below `1.10.0`. Missing numbers count as 0.
 * @returns a negative number if `a` is the lower version, 0 if both are equal
 */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [partsOf(a), partsOf(b)];
  for (let at = 0; at < 3; at += 1) {
    const difference = (left.numbers[at] ?? 0) - (right.numbers[at] ?? 0);
    if (difference !== 0) return difference;
  }
  const isRelease = (parts: { readonly before: readonly string[] }) => parts.before.length === 0;
  if (isRelease(left) || isRelease(right))
    return Number(isRelease(left)) - Number(isRelease(right));
  return compareIdentifiers(left.before, right.before);
}

function partsOf(version: string) {
  const [core = "", ...rest] = version.replace(/\+.*$/, "").split("-");
  const before = rest.join("-");
  return {
    numbers: core.split(".").map(Number),
    /** The identifiers of a pre-release, such as `rc` and `1`; none for a release. */
    before: before === "" ? [] : before.split("."),
  };
}

function compareIdentifiers(a: readonly string[], b: readonly string[]): number {
  for (const [at, left] of a.entries()) {
    const right = b[at];
    if (right === undefined) return 1;
    if (left === right) continue;
    const [isNumber, isOtherNumber] = [/^\d+$/.test(left), /^\d+$/.test(right)];
    if (isNumber && isOtherNumber) return Number(left) - Number(right);
    if (isNumber !== isOtherNumber) return isNumber ? -1 : 1;
    return left < right ? -1 : 1;
  }
  return a.length - b.length;
}

/** Returns the highest version; undefined if the list is empty. */
export function newestOf(versions: readonly string[]): string | undefined {
  return [...versions].sort(compareVersions).at(-1);
}
