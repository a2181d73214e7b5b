/**
 * The environment of a process of Node whose wall clock is ahead by so many milliseconds, as on a
 * machine that is set wrong: the product has no setting for that.
 */
export function wrongClock(aheadMs: number): { readonly NODE_OPTIONS: string } {
  const script = `const right = Date.now; Date.now = () => right() + ${aheadMs};`;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(script)}` };
}
