import { EngineUnavailable } from "./engine.ts";

/** @throws EngineUnavailable if the answer takes longer. Whatever comes later is ignored. */
export async function within<T>(ms: number, answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new EngineUnavailable("its database does not answer")), ms);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
