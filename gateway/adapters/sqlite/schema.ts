/**
 * The steps from an empty file to today's, one a version: step n takes `user_version` from n-1 to n. A step that was
 * released is never edited; what changes is a new step at the end.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE approval (
    -- Order of asking: the newest record of a call is the one that counts, whatever the clock did.
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    call TEXT NOT NULL,
    run TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'approved', 'declined', 'consumed', 'expired')),
    asked INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    request TEXT NOT NULL,
    decided_by TEXT,
    why TEXT,
    CHECK (decided_by IS NOT NULL OR state IN ('pending', 'expired'))
  ) STRICT;
  CREATE INDEX approval_call ON approval (call, seq);
  -- The file itself refuses a second open record of one call.
  CREATE UNIQUE INDEX approval_open ON approval (call) WHERE state IN ('pending', 'approved');
  CREATE INDEX approval_waiting ON approval (run, expires) WHERE state = 'pending';
  CREATE INDEX approval_state ON approval (state, seq);
  CREATE INDEX approval_expires ON approval (expires);

  -- What was taken out of a run's budget: spent, or in the hands of a gateway process that may spend it.
  CREATE TABLE run (
    run TEXT PRIMARY KEY,
    calls_taken INTEGER NOT NULL,
    bytes_taken INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE pin (
    server TEXT PRIMARY KEY,
    definitions TEXT NOT NULL,
    pinned INTEGER NOT NULL,
    pinned_by TEXT NOT NULL
  ) STRICT;
  `,
  `
  -- Runs that the token service opened. The name stays taken when the run is over.
  CREATE TABLE opened_run (
    run TEXT PRIMARY KEY,
    rule TEXT NOT NULL,
    issuer TEXT NOT NULL,
    opened INTEGER NOT NULL,
    deadline INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX opened_run_deadline ON opened_run (deadline);

  -- Tokens that were exchanged, by the digest of issuer and jti, until they could not come again.
  CREATE TABLE redeemed (
    digest TEXT PRIMARY KEY,
    until INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX redeemed_until ON redeemed (until);

  -- A changed one gets a new number, so that "what came after n" is all that another process has to ask.
  CREATE TABLE revocation (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL CHECK (kind IN ('run', 'token', 'issuer', 'rule', 'key')),
    subject TEXT NOT NULL,
    at INTEGER NOT NULL,
    until INTEGER,
    revoked_by TEXT NOT NULL,
    UNIQUE (kind, subject)
  ) STRICT;
  `,
  `
  -- The manifest of each server that was believed last.
  CREATE TABLE manifest_seen (
    server TEXT PRIMARY KEY,
    seq INTEGER NOT NULL,
    digest TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- Calls that consumed an approval and whose server then asked for something: what follows goes on with it, once.
  CREATE TABLE approval_leg (
    leg TEXT PRIMARY KEY,
    approval TEXT NOT NULL,
    until INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX approval_leg_until ON approval_leg (until);
  `,
  `
  -- Each approval carries a record that the gateway signed. What was seen for the first time before is so again; what a person
  -- approved has no record now, and stays closed until somebody approves it anew.
  DELETE FROM pin WHERE pinned_by = 'first seen';
  ALTER TABLE pin ADD COLUMN record TEXT NOT NULL DEFAULT '';
  `,
  `
  -- Servers, and tools of them (empty: the whole server), that an operator took out of use.
  CREATE TABLE quarantine (
    server TEXT NOT NULL,
    tool TEXT NOT NULL,
    at INTEGER NOT NULL,
    put_by TEXT NOT NULL,
    why TEXT,
    PRIMARY KEY (server, tool)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- What runs have read, in words of the policy's own.
  CREATE TABLE run_taint (
    run TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('taint', 'sensitivity')),
    tag TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (run, kind, tag)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- Every definition of a server that was approved once, with the digest that it had last: so that one that was gone and comes
  -- back is no stranger. It approves nothing.
  CREATE TABLE ever_approved (
    server TEXT NOT NULL,
    name TEXT NOT NULL,
    digest TEXT NOT NULL,
    PRIMARY KEY (server, name)
  ) STRICT, WITHOUT ROWID;
  `,
];
