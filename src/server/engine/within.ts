import { EngineUnavailable } from "./engine.ts";

/**
 * Returns an answer that comes in time. Whatever comes later is ignored.
 * @param lateError makes the error that is thrown if the answer takes longer
 */
export async function within<T>(
  ms: number,
  answer: Promise<T>,
  lateError: () => Error = () => new EngineUnavailable("its database does not answer"),
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const end = () => reject(lateError());
    // This process itself may have been busy: an answer that has arrived meanwhile is read first.
    timer = setTimeout(() => setImmediate(() => setImmediate(end)), ms);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
