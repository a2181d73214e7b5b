import fc from "fast-check";
import { expect, test } from "vitest";
import { unavailable } from "../../src/broker/unavailable.ts";
import { decode, encode, formatOf } from "../../src/protocol/codec.ts";
import { LamportClock } from "../../src/protocol/lamport-clock.ts";

const as = () => ({ name: "broker", clock: new LamportClock(), wallMs: 0 });
const error = { status: "erro", code: "unavailable", retry: true, server: "broker", clock: 1 };

test("[B4] [W8] whatever bytes a request has, a broker can answer it with the error unavailable", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (payload) => {
      const bytes = Buffer.from(payload);
      const reply = decode(unavailable(bytes, as()), formatOf(bytes));
      const replies = Array.isArray(reply) ? reply : [reply];
      for (const { service, data } of replies) {
        expect(typeof service).toBe("string");
        expect(data).toMatchObject(error);
      }
    }),
    { numRuns: 2_000 },
  );
});

test("[B4] [W2] a broker answers each request of an array with an error that has the request's service and `id`", () => {
  const ids = ["1", undefined, "3"];
  const requests = ids.map((id) => ({ service: "publish", data: { id, user: "ana" } }));
  for (const format of ["json", "msgpack"] as const) {
    const replies = decode(unavailable(Buffer.from(encode(requests, format)), as()), format);
    expect(replies).toMatchObject(
      ids.map((id) => ({ service: "publish", data: id === undefined ? error : { ...error, id } })),
    );
    const data = (replies as { data: Record<string, unknown> }[]).map((reply) => reply.data);
    expect(data.map((one) => one.id)).toEqual(ids);
    expect(data.every((one) => one.message === one.description)).toBe(true);
  }
});
