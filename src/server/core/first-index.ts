/**
 * The first index of a sorted list whose item is not before some place; the list's length if all
 * are.
 * @param isBefore of the item at an index; true for none behind one for which it is false
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
