import { EngineUnavailable } from "../engine.ts";

/**
 * Waits for a change, which may take as long as the standby is away.
 * @param isAtWork whether PostgreSQL is at work on the change; it is looked up each `everyMs`
 * @throws EngineUnavailable if PostgreSQL twice was not: then something on the way has cut the
 * connection without a word. TCP alone would notice that after a quarter of an hour
 */
export async function unlessCut<T>(
  change: Promise<T>,
  isAtWork: () => Promise<boolean>,
  everyMs: number,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const cut = new Promise<never>((_resolve, reject) => {
    let missed = 0;
    timer = setInterval(async () => {
      // If nobody can tell, the next look may.
      const isMissed = !(await isAtWork().catch(() => true));
      missed = isMissed ? missed + 1 : 0;
      if (missed === 2) reject(new EngineUnavailable("the connection was cut"));
    }, everyMs);
  });
  try {
    return await Promise.race([change, cut]);
  } finally {
    clearInterval(timer);
  }
}
