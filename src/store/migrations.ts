/** Numbered, never edited once released: user_version in the database is how many have run. */
export const migrations: readonly string[] = [
  `
  CREATE TABLE apps (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    deploy_branch TEXT,
    stopped INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE TABLE config (
    app_id INTEGER NOT NULL REFERENCES apps(id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (app_id, key)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE domains (
    domain TEXT PRIMARY KEY,
    app_id INTEGER NOT NULL REFERENCES apps(id) ON DELETE CASCADE,
    position INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX domains_by_app ON domains (app_id, position);
  CREATE TABLE formation (
    app_id INTEGER NOT NULL REFERENCES apps(id) ON DELETE CASCADE,
    type TEXT NOT NULL,
    quantity INTEGER NOT NULL CHECK (quantity >= 0),
    PRIMARY KEY (app_id, type)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE limits (
    app_id INTEGER NOT NULL REFERENCES apps(id) ON DELETE CASCADE,
    type TEXT NOT NULL,
    memory INTEGER,
    cpus REAL,
    PRIMARY KEY (app_id, type)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE quotas (
    app_id INTEGER PRIMARY KEY REFERENCES apps(id) ON DELETE CASCADE,
    memory INTEGER,
    pids INTEGER
  ) STRICT;
  CREATE TABLE images (
    id TEXT PRIMARY KEY,
    json TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE releases (
    app_id INTEGER NOT NULL REFERENCES apps(id) ON DELETE CASCADE,
    version INTEGER NOT NULL,
    image TEXT NOT NULL REFERENCES images(id),
    config BLOB NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'live', 'superseded', 'failed')),
    description TEXT NOT NULL,
    actor TEXT NOT NULL,
    commit_id TEXT,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (app_id, version)
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX one_live_release ON releases (app_id) WHERE status = 'live';
  CREATE TABLE keys (
    name TEXT NOT NULL UNIQUE,
    fingerprint TEXT PRIMARY KEY,
    public_key TEXT NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE events (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    app TEXT,
    kind TEXT NOT NULL,
    message TEXT NOT NULL,
    actor TEXT
  ) STRICT;
  CREATE INDEX events_by_app ON events (app, id);
  CREATE TABLE properties (
    scope TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (scope, name)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE builds (
    app_id INTEGER NOT NULL REFERENCES apps(id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('build', 'deploy')),
    status TEXT NOT NULL CHECK (status IN ('running', 'succeeded', 'failed', 'canceled', 'abandoned')),
    actor TEXT NOT NULL,
    commit_id TEXT,
    release INTEGER,
    reason TEXT,
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    PRIMARY KEY (app_id, number)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE credentials (
    kind TEXT NOT NULL CHECK (kind IN ('registry', 'git')),
    scope TEXT NOT NULL,
    host TEXT NOT NULL,
    user TEXT NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (kind, scope, host)
  ) STRICT, WITHOUT ROWID;
  `,
  'ALTER TABLE releases ADD COLUMN source_image TEXT',
  `
  CREATE TABLE certificates (
    id TEXT PRIMARY KEY,
    app_id INTEGER REFERENCES apps(id) ON DELETE CASCADE,
    source TEXT NOT NULL CHECK (source IN ('given', 'self-signed', 'acme')),
    chain TEXT NOT NULL,
    names TEXT NOT NULL,
    issuer TEXT NOT NULL,
    self_signed INTEGER NOT NULL,
    not_before INTEGER NOT NULL,
    not_after INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    key BLOB NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX certificates_by_app ON certificates (app_id);
  `,
  `
  CREATE TABLE global_config (
    key TEXT PRIMARY KEY,
    sealed BLOB NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE acme_accounts (
    server TEXT NOT NULL,
    email TEXT NOT NULL,
    key BLOB NOT NULL,
    PRIMARY KEY (server, email)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE acme_hosts (
    app_id INTEGER NOT NULL REFERENCES apps(id) ON DELETE CASCADE,
    host TEXT NOT NULL,
    certificate TEXT,
    server TEXT,
    email TEXT,
    failures INTEGER NOT NULL,
    next_at INTEGER,
    error TEXT,
    pending BLOB,
    PRIMARY KEY (app_id, host)
  ) STRICT, WITHOUT ROWID;
  `,
  // Each key had a name of its own and might do everything: its name becomes a user, an owner.
  `
  CREATE TABLE users (
    name TEXT PRIMARY KEY,
    created_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE grants (
    user TEXT NOT NULL REFERENCES users(name) ON DELETE CASCADE,
    app_id INTEGER REFERENCES apps(id) ON DELETE CASCADE,
    role TEXT NOT NULL CHECK (role IN ('viewer', 'deployer', 'admin', 'owner')),
    CHECK (app_id IS NULL OR role <> 'owner')
  ) STRICT;
  CREATE UNIQUE INDEX one_grant_everywhere ON grants (user) WHERE app_id IS NULL;
  CREATE UNIQUE INDEX one_grant_an_app ON grants (user, app_id) WHERE app_id IS NOT NULL;
  INSERT INTO users (name, created_at) SELECT name, created_at FROM keys;
  INSERT INTO grants (user, role) SELECT name, 'owner' FROM keys;
  ALTER TABLE keys RENAME TO old_keys;
  CREATE TABLE keys (
    fingerprint TEXT PRIMARY KEY,
    user TEXT NOT NULL REFERENCES users(name) ON DELETE CASCADE,
    public_key TEXT NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  INSERT INTO keys (fingerprint, user, public_key, created_at)
    SELECT fingerprint, name, public_key, created_at FROM old_keys;
  DROP TABLE old_keys;
  CREATE INDEX keys_by_user ON keys (user);
  `,
  `
  CREATE TABLE plugin_secrets (
    plugin TEXT NOT NULL,
    name TEXT NOT NULL,
    app_id INTEGER REFERENCES apps(id) ON DELETE CASCADE,
    sealed BLOB NOT NULL
  ) STRICT;
  CREATE INDEX plugin_secrets_by_name ON plugin_secrets (plugin, name);
  `,
  `
  CREATE TABLE api_answers (
    actor TEXT NOT NULL,
    key TEXT NOT NULL,
    at INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (actor, key)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX api_answers_by_time ON api_answers (at);
  `,
  `
  CREATE TABLE tokens (
    id INTEGER PRIMARY KEY,
    user TEXT NOT NULL REFERENCES users(name) ON DELETE CASCADE,
    name TEXT NOT NULL,
    hash TEXT NOT NULL UNIQUE,
    role TEXT CHECK (role IN ('viewer', 'deployer', 'admin', 'owner')),
    of_apps INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    used_at INTEGER,
    UNIQUE (user, name)
  ) STRICT;
  CREATE TABLE token_apps (
    token INTEGER NOT NULL REFERENCES tokens(id) ON DELETE CASCADE,
    app_id INTEGER NOT NULL REFERENCES apps(id) ON DELETE CASCADE,
    PRIMARY KEY (token, app_id)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE audit (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    user TEXT NOT NULL,
    via TEXT NOT NULL,
    credential TEXT,
    address TEXT,
    command TEXT NOT NULL,
    app TEXT,
    result TEXT NOT NULL
  ) STRICT;
  CREATE INDEX audit_by_app ON audit (app, id);
  `,
  // Sealed values opened anywhere in the database: from now on each is bound to its place.
  `
  UPDATE config SET sealed = bound(sealed, 'config', app_id, key);
  UPDATE global_config SET sealed = bound(sealed, 'global_config', key);
  UPDATE releases SET config = bound(config, 'releases', app_id, version);
  UPDATE credentials SET sealed = bound(sealed, 'credentials', kind, scope, host);
  UPDATE certificates SET key = bound(key, 'certificates', id);
  UPDATE acme_accounts SET key = bound(key, 'acme_accounts', server, email);
  UPDATE acme_hosts SET pending = bound(pending, 'acme_hosts', app_id, host) WHERE pending IS NOT NULL;
  UPDATE plugin_secrets SET sealed = bound(sealed, 'plugin_secrets', plugin, name, app_id);
  UPDATE api_answers SET sealed = bound(sealed, 'api_answers', actor, key);
  `,
  `
  ALTER TABLE config ADD COLUMN secret INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE global_config ADD COLUMN secret INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE releases ADD COLUMN secret_keys TEXT NOT NULL DEFAULT '[]';
  `,
  `
  ALTER TABLE audit ADD COLUMN other TEXT;
  ALTER TABLE audit ADD COLUMN args TEXT NOT NULL DEFAULT '';
  CREATE INDEX audit_by_other ON audit (other, id) WHERE other IS NOT NULL;
  `,
  `
  CREATE TABLE refusals (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    user TEXT NOT NULL,
    via TEXT NOT NULL,
    credential TEXT,
    address TEXT NOT NULL,
    command TEXT NOT NULL,
    result TEXT NOT NULL,
    times INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX refusals_by_address ON refusals (address, at);
  `,
  // What an instance may write beside its mounts.
  `
  ALTER TABLE limits ADD COLUMN disk INTEGER;
  `,
  `
  CREATE TABLE plugin_notices (
    id INTEGER PRIMARY KEY,
    listener TEXT NOT NULL,
    hook TEXT NOT NULL,
    event TEXT NOT NULL,
    starts INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  `,
];
