/**
 * Compares the answers to clients that raced for names (R10) with the accounts on the replicas'
 * disks after the run.
 */

/** What an answer told the client about its claim. */
export interface ClaimAnswer {
  readonly atMs: number;
  readonly answer: "won" | "taken";
}

/** One client's claim of a name. All copies of the claim have the same id. */
export interface Claim {
  readonly name: string;
  readonly client: string;
  readonly id: string;
  readonly beganMs: number;
  /**
   * The answers, oldest first. A client may send a decided claim again; every answer must have the
   * same decision.
   */
  readonly answers: readonly ClaimAnswer[];
  /** The code of an error that leaves the claim undecided; a retry would get the same error. */
  readonly refused?: string;
  /** Whether the client has stopped sending the claim. The client may own the name nevertheless. */
  readonly isGivenUp: boolean;
}

/** A row of `accounts.json`. */
export interface Account {
  readonly user: string;
  /** The id of the operation that made the account. */
  readonly id: string;
}

/** The accounts of one replica after a clean stop; undefined if the file is missing. */
export interface AccountsFile {
  readonly replica: string;
  readonly accounts: readonly Account[] | undefined;
}

export interface ClaimObservations {
  readonly claims: readonly Claim[];
  readonly accounts: readonly AccountsFile[];
}

export const claimRules = [
  /** Several clients were told that they own the same name. */
  "claimedTwice",
  /** A client was told both that it owns a name and that the name is taken. */
  "contradicted",
  /**
   * A client was told that it owns a name that it does not own. Or the owner was told `name_taken`.
   * Or a client was told `name_taken` though nobody owns the name. Or no client sent the
   * owner's claim.
   */
  "misowned",
  /** Replicas have different owners of a name, or one replica has several. */
  "ownersDiffer",
  /** A claim was neither decided nor given up. */
  "undecided",
] as const;

export interface ClaimViolation {
  readonly rule: (typeof claimRules)[number];
  readonly detail: string;
}

export function checkClaims({ claims, accounts }: ClaimObservations): ClaimViolation[] {
  const [first] = accounts;
  return [
    ...claimedTwice(claims),
    ...contradicted(claims),
    ...(first === undefined ? [] : misowned(claims, first)),
    ...ownersDiffer(accounts),
    ...undecided(claims),
  ];
}

export function wasTold({ answers }: Claim, answer: ClaimAnswer["answer"]): boolean {
  return answers.some((told) => told.answer === answer);
}

function claimedTwice(claims: readonly Claim[]): ClaimViolation[] {
  const winners = grouped(
    claims.filter((claim) => wasTold(claim, "won")),
    ({ name }) => name,
  );
  return [...winners]
    .filter(([, told]) => told.length > 1)
    .map(([name, told]) => {
      const clients = told.map(({ client }) => client).join(" and ");
      return { rule: "claimedTwice", detail: `${clients} were both told that ${name} is theirs` };
    });
}

function contradicted(claims: readonly Claim[]): ClaimViolation[] {
  return claims
    .filter((claim) => wasTold(claim, "won") && wasTold(claim, "taken"))
    .map(({ client, name, answers }) => {
      const told = answers.map(({ answer, atMs }) => `${answer} at ${Math.round(atMs)} ms`);
      const detail = `${client}, who claimed ${name}, was told ${told.join(", then ")}`;
      return { rule: "contradicted", detail };
    });
}

/**
 * Checks the owners on the first replica only; `ownersDiffer` compares the first replica with the
 * others.
 */
function misowned(
  claims: readonly Claim[],
  { replica, accounts = [] }: AccountsFile,
): ClaimViolation[] {
  const rows = grouped(accounts, ({ user }) => user);
  return [...grouped(claims, ({ name }) => name)].flatMap(([name, racers]) => {
    const own = rows.get(name) ?? [];
    const [owner] = own;
    const ids = new Set(racers.map(({ id }) => id));
    const details = racers.flatMap((claim) => {
      const { client, id } = claim;
      const isOwner = owner?.id === id;
      const told = wasTold(claim, "won") ? "OK" : wasTold(claim, "taken") ? "name_taken" : "";
      if (told === "OK" && !isOwner) return [`${client} was told OK`];
      if (told !== "name_taken") return [];
      if (isOwner) return [`${client} was told name_taken and owns it`];
      return owner === undefined ? [`${client} was told name_taken`] : [];
    });
    if (owner !== undefined && !ids.has(owner.id)) details.push(`nobody sent ${owner.id}`);
    const who = owner === undefined ? "nobody" : nameOf(owner, racers);
    return details.map((detail) => {
      return {
        rule: "misowned" as const,
        detail: `${name} belongs to ${who} (${replica}): ${detail}`,
      };
    });
  });
}

function nameOf({ id }: Account, racers: readonly Claim[]): string {
  return racers.find((claim) => claim.id === id)?.client ?? id;
}

function ownersDiffer(files: readonly AccountsFile[]): ClaimViolation[] {
  const details: string[] = [];
  const first = new Map<string, { readonly replica: string; readonly id: string }>();
  for (const [at, { replica, accounts }] of files.entries()) {
    if (accounts === undefined) details.push(`${replica} has no accounts`);
    const owned = grouped(accounts ?? [], ({ user }) => user);
    for (const [user, rows] of owned) {
      const ids = new Set(rows.map(({ id }) => id));
      if (ids.size > 1) details.push(`${user} belongs to ${[...ids].join(", ")} (${replica})`);
      const id = rows[0]?.id ?? "";
      const other = first.get(user);
      if (at === 0) first.set(user, { replica, id });
      else if (other === undefined) details.push(`${user} has an owner on ${replica} only`);
      else if (other.id !== id) {
        details.push(`${user} is ${other.id}'s on ${other.replica}, ${id}'s on ${replica}`);
      }
    }
    if (at === 0) continue;
    for (const [user, { replica: other }] of first) {
      if (!owned.has(user)) details.push(`${user} has an owner on ${other}, none on ${replica}`);
    }
  }
  return details.map((detail) => ({ rule: "ownersDiffer", detail }));
}

function undecided(claims: readonly Claim[]): ClaimViolation[] {
  return claims
    .filter(({ answers, isGivenUp }) => answers.length === 0 && !isGivenUp)
    .map(({ client, name, refused }) => {
      const what = refused === undefined ? "never decided" : `refused: ${refused}`;
      return { rule: "undecided", detail: `the claim of ${name} by ${client} was ${what}` };
    });
}

export function grouped<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}
