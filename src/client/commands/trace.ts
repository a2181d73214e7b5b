import { now, pause, steadyOriginMs } from "../../platform/clock.ts";
import { addressesOf } from "../../platform/endpoint.ts";
import { Problem } from "../../platform/problem.ts";
import type { Receipt } from "../../protocol/client-messages.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { parseEventName } from "../../protocol/parse-steps.ts";
import type { Trace } from "../../protocol/steps.ts";
import { type ClientTimes, diagramOf } from "../core/trace/diagram.ts";
import { diagramLines } from "../core/trace/lines.ts";
import { shivizLog } from "../core/trace/shiviz.ts";
import { svgOf } from "../core/trace/svg.ts";
import { GameClient } from "../game-client.ts";
import type { Session } from "../session.ts";
import { type Context, targetOf, userOf, withClient } from "./context.ts";
import { deliver, messageOf, sentSentence } from "./send.ts";

export interface TraceFlags {
  readonly send?: boolean;
  readonly svg?: boolean;
  readonly shiviz?: boolean;
}

/** An event's steps, and what this process knows as its client. */
interface Traced {
  /** Undefined if the trace failed after the message was sent. */
  readonly trace: Trace | undefined;
  readonly client?: ClientTimes;
  /** Present if a server has accepted the message. */
  readonly sent?: { readonly receipt: Receipt | undefined };
  /** Why the message has no receipt, or why it has no trace. */
  readonly failure?: unknown;
}

/**
 * `tertulia trace ID`: shows what each server did with an event, or each game server with an action
 * in a match. With `--send`, sends a message first, and shows its event.
 * @throws Problem (exit code 1) if no server remembers the event
 */
export async function trace(
  context: Context,
  [what, words]: readonly (string | undefined)[],
  flags: TraceFlags,
): Promise<void> {
  const { output, text } = context;
  const { send = false, svg = false, shiviz = false } = flags;
  const forms = [svg, shiviz, output.json].filter((isAsked) => isAsked);
  if (forms.length > 1) throw new Problem(text("problem.traceForms"), 2);
  if (what === undefined || send !== (words !== undefined)) {
    throw new Problem(text("problem.traceArguments"), 2);
  }
  const asked = words === undefined ? undefined : await messageOf(context, words);
  const target = asked === undefined ? undefined : targetOf(context, what);
  await withClient(context, async (client) => {
    const traced: Traced =
      target === undefined || asked === undefined
        ? { trace: await traceAny(context, client, what) }
        : await traceOwn(context, client, { user: userOf(context), target, text: asked });
    const { trace: found, sent, failure } = traced;
    if (found?.event === undefined && found?.match === undefined) {
      // Without the receipt, the person would think that nothing was sent, and send it again.
      if (target !== undefined && sent !== undefined) {
        output.done({ ...target, ...sent.receipt }, sentSentence(text, target, sent.receipt));
      }
      const of = target === undefined ? what : text("trace.thisMessage");
      throw failure ?? new Problem(text("problem.noTrace", { of }));
    }
    show(context, { trace: found, client: traced.client }, { svg, shiviz });
    if (failure !== undefined) throw failure;
  });
}

/** Milliseconds after which no further game server is asked. */
const gamesMs = 1_000;

/**
 * Traces an event or, if the servers know none, an action in a match.
 * @throws Problem if no game server answers
 */
async function traceAny(context: Context, client: Session, of: string): Promise<Trace> {
  const found = await client.trace(of);
  if (found.event !== undefined || parseEventName(of) !== undefined) return found;
  const { config, text } = context;
  const user = userOf(context);
  const token = () => config.sessions.tokenOf(user);
  using games = new GameClient({ games: config.games, user, token, deadlineMs: gamesMs });
  try {
    return await games.trace(of);
  } catch (error) {
    if (!(error instanceof ProtocolError && error.code === "unavailable")) throw error;
    throw new Problem(text("problem.noTraceNorGame", { of, games: addressesOf(config.games) }));
  }
}

/** Sends a message, and traces it also without a receipt: a server may have it nevertheless. */
async function traceOwn(
  { config }: Context,
  client: Session,
  delivery: Parameters<typeof deliver>[1],
): Promise<Traced> {
  const id = client.newId();
  // A user without the right to trace must learn this before the message is sent.
  if (config.session !== undefined) await client.trace(id);
  let sentMs = 0;
  const onSend = () => {
    sentMs = fineMs();
  };
  let sent: Traced["sent"];
  try {
    sent = await deliver(client, { ...delivery, id, onSend });
  } catch (failure) {
    const found = await client.trace(id).catch(() => {
      throw failure;
    });
    return { trace: found, client: { sentMs, answer: undefined }, failure };
  }
  const answer = { atMs: fineMs(), clock: client.connection.clock.value };
  const times = { sentMs, answer };
  try {
    return { trace: await settledTrace(client, id), client: times, sent };
  } catch (failure) {
    return { trace: undefined, client: times, sent, failure };
  }
}

/** The machine's time with a fraction; exact enough for a process that has just started. */
function fineMs(): number {
  return steadyOriginMs + now().steadyMs;
}

/** The longest wait for all servers to know of the commit, which the next heartbeat tells. */
const settleMs = 1_500;
const askAgainMs = 50;

/** Traces an event until all servers that answer know that it is committed, but not for long. */
async function settledTrace(client: Session, of: string): Promise<Trace> {
  const untilMs = now().steadyMs + settleMs;
  for (;;) {
    const found = await client.trace(of);
    if (isSettled(found) || now().steadyMs > untilMs) return found;
    await pause(askAgainMs);
  }
}

function isSettled({ event, servers }: Trace): boolean {
  const origin = servers.find(({ name }) => name === event?.server);
  const heard = new Set(origin?.steps.map(({ kind, peer }) => kind === "heard" && peer));
  return servers.every(({ name, steps }) => {
    const isHeard = name === event?.server || heard.has(name);
    return isHeard && steps.some(({ kind }) => kind === "committed");
  });
}

interface Shown {
  readonly trace: Trace;
  readonly client: ClientTimes | undefined;
}

function show(
  { output, text }: Context,
  { trace: found, client }: Shown,
  { svg, shiviz }: { readonly svg: boolean; readonly shiviz: boolean },
): void {
  if (output.json) return output.value(client === undefined ? found : { ...found, client });
  const diagram = diagramOf(found, client);
  const draw = svg ? svgOf : shiviz ? shivizLog : diagramLines;
  for (const line of draw(diagram, text)) output.line(line);
}
