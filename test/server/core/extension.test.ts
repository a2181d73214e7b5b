import { describe, expect, test } from "vitest";
import type { ParsedRequest } from "../../../src/protocol/client-messages.ts";
import { object } from "../../../src/protocol/fields.ts";
import { message as text } from "../../../src/protocol/request-fields.ts";
import type { ChatState } from "../../../src/server/core/chat/chat-state.ts";
import type { Fact } from "../../../src/server/core/replica/fact.ts";
import { readText } from "../../../src/server/core/replica/fields.ts";
import type { LedgerOf } from "../../../src/server/core/replica/ledger.ts";
import { idOf, type Placed, writePlace } from "../../../src/server/core/replica/placed.ts";
import { ownTables, type Tables } from "../../../src/server/core/services.ts";
import type { ServiceRow } from "../../../src/server/core/serving/service.ts";
import { decideWrite } from "../../../src/server/core/serving/write.ts";
import { CoreCluster } from "../../support/core-cluster.ts";

/** An example extension: one service writes a note, and another returns all notes. */
type Note = Placed & { readonly note: string };
type NoteRequest = ParsedRequest & { readonly note: string };

const notesOf = new WeakMap<ChatState, Map<string, Note>>();

function noteFact(notes: Map<string, Note>): Fact<{ note: string }> {
  return {
    parse: (data) => ({ note: readText(data, "note") }),
    fold: ({ note }, placed) => notes.set(idOf(placed), { ...placed, note }),
    freeze: () => ({
      entries: [...notes.values()].map((one) => ({ note: one.note, ...writePlace(one) })),
    }),
  };
}

const noteService: ServiceRow<NoteRequest, { notes: readonly string[] } | object> = {
  parse: object({ note: text }),
  for: "users",
  decide: (services, request, at) => {
    const notes = notesOf.get(services.chat) as Map<string, Note>;
    const ledger: LedgerOf<{ note: { note: string } }> = services.ledger as never;
    return decideWrite(services, request, {
      ...at,
      write: {
        existing: (_services, _request, id) => notes.get(id),
        obstacle: () => undefined,
        make: (_services, { note, id }, timeMs) => ledger.make("note", { note, id }, timeMs),
      },
    });
  },
};

const notesService: ServiceRow = {
  parse: () => ({}),
  for: "users",
  decide: ({ chat }) => {
    const notes = [...(notesOf.get(chat) as Map<string, Note>).values()];
    return { next: "answer", answer: { notes: notes.map(({ note }) => note).sort() } };
  },
};

const tables: Tables = {
  facts: (content) => {
    const notes = new Map<string, Note>();
    notesOf.set(content.chat, notes);
    return { ...ownTables.facts(content), note: noteFact(notes) };
  },
  services: { ...ownTables.services, note: noteService, notes: notesService },
};

function cluster(servers: number): CoreCluster {
  const made = new CoreCluster({ servers, tables });
  made.runUntilServing();
  return made;
}

describe("a fact and a service that are one table row each", () => {
  test("a service that is added as one table row stores a note, and stores no second note for a repeated request", () => {
    const notes = cluster(3);
    const first = notes.request(notes.server(1), "note", { note: "milk", id: "a" });
    const again = notes.request(notes.server(2), "note", { note: "milk", id: "a" });
    expect(first).toMatchObject({ status: "OK", id: "a" });
    expect(again).toMatchObject({ status: "OK", id: "a" });
    notes.runUntilEqual();
    for (const server of notes.servers) {
      expect(notes.request(server, "notes").notes).toEqual(["milk"]);
    }
  });

  test("the gate refuses a request to an added service if a field has the wrong type", () => {
    const notes = cluster(1);
    const reply = notes.request(notes.server(1), "note", { note: 7 });
    expect(reply).toMatchObject({ code: "bad_request", description: "`note` must be a string." });
  });

  test("the data of an added fact survive a checkpoint and a restart", () => {
    const notes = cluster(1);
    const server = notes.server(1);
    notes.request(server, "note", { note: "milk" });
    notes.save(server);
    notes.runUntil(() => server.disk.saved !== undefined, "a checkpoint");
    expect(server.disk.journal).toEqual([]);
    notes.request(server, "note", { note: "bread" });
    notes.kill(server);
    notes.start(server);
    notes.runUntilServing();
    expect(notes.request(server, "notes").notes).toEqual(["bread", "milk"]);
  });

  test("the data of an added fact reach a new server in a peer's saved state", () => {
    const notes = cluster(3);
    notes.request(notes.server(1), "note", { note: "milk" });
    notes.runUntilEqual();
    for (const server of notes.servers) notes.save(server);
    notes.runUntil(() => notes.servers.every(({ disk }) => disk.saved !== undefined), "all saved");
    const added = notes.addServer();
    notes.runUntil(() => added.disk.fetched !== undefined, "a peer's state");
    notes.runUntilServing();
    expect(notes.request(added, "notes").notes).toEqual(["milk"]);
  });
});
