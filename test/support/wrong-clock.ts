/**
 * The environment of a Node process whose wall clock is ahead by this many milliseconds, as on a
 * machine with a wrong clock. The product has no setting for a wrong clock.
 */
export function wrongClock(aheadMs: number): { readonly NODE_OPTIONS: string } {
  const script = `const right = Date.now; Date.now = () => right() + ${aheadMs};`;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(script)}` };
}
