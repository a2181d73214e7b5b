/**
 * Finds a place in a sorted list by binary search. Returns the first index at which `isBefore` is
 * false, or `length` if `isBefore` is true for all indexes.
 * @param isBefore whether the item at an index is before the place
 */
export function firstIndex(length: number, isBefore: (index: number) => boolean): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBefore(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}
