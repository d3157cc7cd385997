/** Where an input comes in. */
type Surface =
  | 'words over SSH'
  | 'SSH itself'
  | 'HTTP API'
  | 'client'
  | 'git'
  | 'archive'
  | 'files of the app'
  | 'build'
  | 'edge'
  | 'webhook'
  | 'logs';

/** What must come of it: a sentence and nothing else, all of it byte for byte, or no more than was promised. */
type Outcome = 'refused' | 'kept' | 'bounded';

/** A test by its file below `test/` and words of its title, or of the row of its table. */
type Proof = readonly [Surface, Outcome, file: string, title: string];

export type Row = { readonly number: number; readonly input: string; readonly proofs: readonly Proof[] };

const row = (number: number, input: string, ...proofs: readonly Proof[]): Row => ({ number, input, proofs });

const alike = '($number) $what is refused with one sentence, alike at every front end';
const name = (): readonly Proof[] => [
  ['words over SSH', 'refused', 'inputs/names.test.ts', alike],
  ['HTTP API', 'refused', 'inputs/names.test.ts', alike],
  ['client', 'refused', 'inputs/names.test.ts', alike],
];
const gitName = (): Proof => [
  'git',
  'refused',
  'receive/push.system.test.ts',
  'to a repository named %j is refused in a sentence',
];
const hook = 'inputs/names.test.ts';

export const rows: readonly Row[] = [
  row(1, 'an empty name', ...name(), gitName()),
  row(2, 'names of 64 and 10,000 characters', ...name(), gitName()),
  row(3, '. and ..', ...name(), gitName(), [
    'git',
    'refused',
    'receive/hostile.system.test.ts',
    '%j is refused, by git or by us',
  ]),
  row(4, 'a/../b', ...name(), gitName(), [
    'archive',
    'refused',
    'build/archive.test.ts',
    'a path that climbs',
  ]),
  row(
    5,
    'a leading dash',
    ...name(),
    ['words over SSH', 'refused', hook, 'that looks like a flag ($what) is one over SSH and for the client'],
    [
      'client',
      'refused',
      'cli/ssh.test.ts',
      'names the person, the place and nothing that could be an option',
    ],
    ['git', 'refused', 'commands/git.test.ts', 'refuses %j as a ref'],
  ),
  row(6, ';id', ...name(), gitName(), [
    'words over SSH',
    'kept',
    'domain/words.test.ts',
    'expands nothing and treats operators as text',
  ]),
  row(7, '$(id)', ...name(), gitName(), ['client', 'kept', 'cli/ssh.test.ts', 'brings %j there as it is']),
  row(8, '`id`', ...name(), [
    'words over SSH',
    'kept',
    'domain/words.test.ts',
    'expands nothing and treats operators as text',
  ]),
  row(9, 'a|b and a&b', ...name(), [
    'words over SSH',
    'kept',
    'domain/words.test.ts',
    'expands nothing and treats operators as text',
  ]),
  row(
    10,
    'newline, CR and tab',
    ...name(),
    ['archive', 'refused', 'build/archive.test.ts', 'a control character'],
    ['git', 'refused', 'receive/tree.test.ts', 'with the name %j is refused'],
  ),
  row(
    11,
    'NUL',
    ...name(),
    ['archive', 'refused', 'build/zip.test.ts', 'a name with a NUL'],
    ['edge', 'refused', 'edge/peers/cases/lines.ts', 'a zero byte in the target'],
  ),
  row(12, 'upper case beside its lower-case twin', ...name(), [
    'edge',
    'kept',
    'edge/peers/cases/targets.ts',
    'a Host in upper case with dot and port',
  ]),
  row(13, 'a lookalike, NFC and NFD', ...name(), gitName()),
  row(14, 'a right-to-left override', ...name(), [
    'logs',
    'bounded',
    'domain/names.test.ts',
    'never prints what is refused raw',
  ]),
  row(15, 'reserved words', ...name(), [
    'HTTP API',
    'kept',
    hook,
    'is an app as any other, at every front end',
  ]),
  row(
    16,
    '__proto__ and constructor',
    ...name(),
    ['HTTP API', 'refused', 'api/bad-input.test.ts', 'with __proto__ as a field'],
    ['HTTP API', 'kept', 'api/bad-input.test.ts', 'takes an odd key as the key it is'],
    ['files of the app', 'kept', 'build/jsonc.test.ts', 'does not let a key reach the prototype'],
    [
      'words over SSH',
      'kept',
      'commands/config.test.ts',
      'does not take a key of every object for one of ours',
    ],
  ),
  row(17, 'an encoded slash', ...name(), [
    'HTTP API',
    'refused',
    'api/bad-input.test.ts',
    '/v1/urls?app=a%2fb',
  ]),

  row(
    18,
    'a line of SSH with quotes, ;, &&, and of 1 MB',
    [
      'SSH itself',
      'kept',
      'ssh/server.system.test.ts',
      'arrives as words, with its actor, and ends with its status and both streams',
    ],
    [
      'words over SSH',
      'kept',
      'domain/words.test.ts',
      'takes a config value of a megabyte and refuses a line past the limit',
    ],
    ['words over SSH', 'refused', 'domain/words.test.ts', 'refuses %j, which is not finished'],
    ['client', 'refused', 'cli/ssh.test.ts', 'is refused when SSH cannot carry it, with the remedy'],
  ),
  row(
    19,
    'git-upload-pack of an app of others',
    ['git', 'refused', 'commands/authorise.test.ts', 'hides apps from %s'],
    [
      'git',
      'refused',
      'receive/push.system.test.ts',
      'from an app that does not exist says so, with exit status 20',
    ],
  ),
  row(20, "a repository '/../x'", gitName(), [
    'git',
    'refused',
    'e2e/push.test.ts',
    'refuses repository names that are no app names',
  ]),
  row(21, 'an environment by SendEnv', [
    'SSH itself',
    'refused',
    'ssh/server.system.test.ts',
    "an environment but git's protocol version",
  ]),
  row(
    22,
    'forwarding of ports, agent and X11',
    ['SSH itself', 'refused', 'ssh/server.system.test.ts', 'forwarding to a host'],
    ['SSH itself', 'refused', 'ssh/server.system.test.ts', 'a forwarded socket'],
    ['SSH itself', 'refused', 'ssh/server.system.test.ts', 'SFTP'],
  ),
  row(23, 'a branch named as an option or a command', [
    'git',
    'refused',
    'receive/push-rules.test.ts',
    'with ref %j are refused by name',
  ]),
  row(
    24,
    'force, delete of the live branch, a tag alone, 100 refs',
    ['git', 'kept', 'receive/push.system.test.ts', 'may be forced'],
    [
      'git',
      'refused',
      'receive/push.system.test.ts',
      'deleting the deploy branch is refused, another branch goes',
    ],
    ['git', 'refused', 'receive/push.system.test.ts', 'as a tag alone is refused, with what to push instead'],
    [
      'git',
      'refused',
      'receive/push.system.test.ts',
      'as more than a hundred refs, or notes, is refused whole',
    ],
  ),
  row(
    25,
    'a pack bomb, a huge object, a million files',
    [
      'git',
      'refused',
      'receive/hostile.system.test.ts',
      'by nesting trees is refused before anything is written',
    ],
    [
      'git',
      'refused',
      'receive/hostile.system.test.ts',
      'by its size is refused before the file that is too much',
    ],
    [
      'git',
      'bounded',
      'receive/tree.test.ts',
      'in a long chain, or with endless targets, do not hold up the daemon',
    ],
  ),
  row(
    26,
    'hostile submodules',
    [
      'git',
      'refused',
      'receive/hostile.system.test.ts',
      'with a name or address that runs programs are refused',
    ],
    ['git', 'refused', 'build/submodules.system.test.ts', 'that comes from %s is refused by its name'],
    [
      'git',
      'refused',
      'build/submodules.system.test.ts',
      'is not named by a file that is no list, or that includes another',
    ],
  ),
  row(
    27,
    'links in place of files that are read',
    ['git', 'refused', 'receive/hostile.system.test.ts', 'to %s is refused'],
    ['files of the app', 'refused', 'build/file-path.test.ts', 'refuses %s, which is no plain file'],
    ['build', 'refused', 'build/fetch/buildpackage.system.test.ts', 'whose descriptor is a link to the host'],
  ),
  row(28, 'filters and attributes', [
    'git',
    'bounded',
    'receive/hostile.system.test.ts',
    'in attributes, filters and hooks of its own has no effect on the host',
  ]),
  row(
    29,
    'a client that leaves at any stage',
    [
      'git',
      'bounded',
      'receive/cut-off.system.test.ts',
      'at any other moment leaves nothing, and the next push works',
    ],
    ['words over SSH', 'bounded', 'ssh/server.system.test.ts', 'learns at once that its client is gone'],
    [
      'HTTP API',
      'bounded',
      'api/bad-input.test.ts',
      'of a client that leaves in the middle changes nothing, and is no fault of ours',
    ],
    ['edge', 'bounded', 'edge/streams.test.ts', 'ends the request at the app before the answer (A6.9a)'],
  ),
  row(30, 'two pushes at once', [
    'git',
    'bounded',
    'receive/push.system.test.ts',
    'to one app take turns, and the second is refused before its deploy when the branch moved',
  ]),

  row(
    31,
    'an absolute path',
    ['archive', 'refused', 'build/archive.test.ts', 'an absolute path'],
    ['archive', 'refused', 'build/zip.test.ts', 'an absolute path'],
    ['build', 'refused', 'build/oci/import.system.test.ts', 'an absolute path'],
  ),
  row(
    32,
    '.. in a path',
    ['archive', 'refused', 'build/archive.test.ts', 'a path that climbs'],
    ['archive', 'refused', 'build/zip.test.ts', 'a path that climbs'],
    ['build', 'refused', 'build/oci/import.system.test.ts', 'a path that climbs'],
  ),
  row(
    33,
    'a link, then a file through it',
    ['archive', 'refused', 'build/archive.test.ts', 'a file through a link'],
    ['archive', 'refused', 'build/zip.test.ts', 'a file through a link'],
    ['build', 'refused', 'build/oci/import.system.test.ts', 'a file through a link'],
  ),
  row(
    34,
    'a hard link to the outside',
    ['archive', 'refused', 'build/archive.test.ts', 'a hard link to the outside'],
    ['build', 'refused', 'build/oci/import.system.test.ts', 'a hard link out'],
  ),
  row(
    35,
    'a chain of links and a hard link',
    ['archive', 'refused', 'build/archive.test.ts', 'a chain of links that climbs'],
    ['archive', 'refused', 'build/archive.test.ts', 'a hard link to a link'],
  ),
  row(
    36,
    'devices, pipes and setuid bits',
    ['archive', 'refused', 'build/archive.test.ts', 'a pipe'],
    ['archive', 'refused', 'build/zip.test.ts', 'a device'],
    [
      'build',
      'bounded',
      'build/oci/import.system.test.ts',
      'keeps owners, links to anywhere and hard links; setuid bits and devices below /dev it loses',
    ],
  ),
  row(
    37,
    'a zip bomb and a million entries',
    [
      'archive',
      'refused',
      'build/zip.test.ts',
      'that unpacks to more than is allowed is refused before it is unpacked',
    ],
    ['archive', 'refused', 'build/zip.test.ts', 'with too many entries is refused'],
    ['archive', 'refused', 'build/archive.test.ts', 'of too many entries is refused'],
    [
      'build',
      'refused',
      'build/oci/import.system.test.ts',
      'that unpacks to more than is allowed is refused',
    ],
  ),
  row(
    38,
    'entries twice, twins by case',
    ['archive', 'refused', 'build/archive.test.ts', 'the same file twice'],
    ['archive', 'refused', 'build/zip.test.ts', 'a name twice'],
  ),
  row(
    39,
    'a sparse file of a tebibyte',
    [
      'build',
      'bounded',
      'build/dockerfile/bombs.system.test.ts',
      'FROM an image with a sparse file of a tebibyte is read until its time is over, and nothing is kept',
    ],
    [
      'build',
      'bounded',
      'build/layers/store.test.ts',
      'is not made of a file with more holes than the disk limit, which would be read for hours',
    ],
  ),
  row(
    40,
    'cut off, another format, gzip in gzip',
    ['archive', 'refused', 'build/archive.test.ts', 'cut off %s is refused'],
    ['archive', 'refused', 'build/archive.test.ts', 'that is no archive at all is refused'],
    [
      'archive',
      'refused',
      'build/fetch/source-archive.system.test.ts',
      'of an archive %s are refused, and nothing is left',
    ],
  ),

  row(
    41,
    'odd keys of config',
    ['words over SSH', 'refused', 'commands/config.test.ts', 'refuses %.20j and stores nothing of the line'],
    ['HTTP API', 'kept', 'api/bad-input.test.ts', 'takes an odd key as the key it is'],
  ),
  row(
    42,
    'odd values of config',
    ['words over SSH', 'kept', 'commands/config.test.ts', 'keeps values byte for byte'],
    ['HTTP API', 'kept', 'api/rest.test.ts', 'takes values byte for byte'],
    ['client', 'kept', 'cli/main.test.ts', 'passes words, output, errors and the exit status through'],
  ),
  row(
    43,
    'a Procfile of 10,000 types, tabs, a BOM, no newline',
    [
      'files of the app',
      'kept',
      'build/procfile.test.ts',
      'H12 takes a BOM, CRLF, tabs, blank lines, comments, and colons in commands',
    ],
    ['files of the app', 'refused', 'build/procfile.test.ts', 'H12 refuses %j'],
  ),
  row(
    44,
    'an app.json that nests, with huge numbers and odd schedules',
    ['files of the app', 'refused', 'build/app-json.test.ts', 'refuses %j'],
    ['files of the app', 'refused', 'build/app-cron.test.ts', 'is refused with %s'],
    ['files of the app', 'refused', 'cron/timetable.test.ts', 'is refused for %j'],
  ),
  row(
    45,
    'odd amounts of memory',
    ['words over SSH', 'refused', 'commands/limits.test.ts', 'refuses memory %j and stores nothing'],
    [
      'words over SSH',
      'refused',
      'e2e/memory.test.ts',
      'refuses a limit below what is in use, and says how much that is',
    ],
  ),
  row(
    46,
    'scales of -1 and 1e6',
    ['words over SSH', 'refused', 'commands/ps.test.ts', 'refuses %s and changes nothing'],
    ['files of the app', 'refused', 'build/app-json.test.ts', 'refuses the formation %j'],
  ),
  row(47, 'anchors, keys twice and tags of YAML', [
    'files of the app',
    'refused',
    'build/classic/release-yaml.test.ts',
    'is refused',
  ]),
  row(
    48,
    'a Dockerfile that reaches out',
    ['files of the app', 'refused', 'build/dockerfile/scan.test.ts', 'with %s is refused'],
    [
      'build',
      'bounded',
      'build/dockerfile/bombs.system.test.ts',
      'reaches neither metadata addresses nor this host',
    ],
  ),
  row(
    49,
    'odd names of images',
    ['words over SSH', 'refused', 'commands/git-from-image.test.ts', 'refuses %s, and pulls nothing'],
    ['words over SSH', 'refused', 'domain/image-ref.test.ts', 'is refused: %j'],
    ['build', 'refused', 'build/oci/import.system.test.ts', 'is refused for another processor'],
  ),
  row(
    50,
    'mounts of the host',
    ['words over SSH', 'refused', 'commands/storage.test.ts', 'refuses %s'],
    [
      'words over SSH',
      'refused',
      'commands/storage.test.ts',
      "never shows the platform's own folder, nor one around it, nor what a link leads to",
    ],
    ['words over SSH', 'refused', 'domain/docker-run-option.test.ts', '%s is refused, as it %s'],
  ),

  row(
    51,
    'odd Hosts',
    ['edge', 'refused', 'edge/peers/cases/targets.ts', 'no Host'],
    ['edge', 'refused', 'edge/peers/cases/targets.ts', 'two Hosts'],
    ['edge', 'refused', 'edge/peers/cases/targets.ts', 'a Host of 300 characters'],
    ['edge', 'kept', 'edge/routes.test.ts', '%s is looked up as %s'],
    [
      'words over SSH',
      'refused',
      'commands/domains.test.ts',
      'of another app are refused, naming it and the remedy, and nothing of the line is kept',
    ],
  ),
  row(
    52,
    'two lengths, odd chunks',
    ['edge', 'refused', 'edge/peers/cases/framing.ts', 'both lengths'],
    ['edge', 'refused', 'edge/peers/cases/chunks.ts', 'a chunk size beyond all numbers'],
  ),
  row(
    53,
    'a header of 64 KB, 1,000 headers, a bare LF',
    ['edge', 'refused', 'edge/peers/cases/hops.ts', 'a header of 64 KiB'],
    ['edge', 'refused', 'edge/peers/cases/hops.ts', '1000 headers'],
    ['edge', 'refused', 'edge/peers/cases/lines.ts', 'a bare LF after a header'],
  ),
  row(
    54,
    'forged forwarding headers',
    ['edge', 'refused', 'edge/forward.test.ts', 'has forwarding headers of the edge alone (A6.2a)'],
    ['edge', 'refused', 'edge/proxies.test.ts', 'nobody else is believed (A6.2b)'],
  ),
  row(
    55,
    'upgrades on an app that sleeps',
    ['edge', 'kept', 'edge/gate.test.ts', 'may be a websocket'],
    [
      'edge',
      'bounded',
      'edge/upgrade.test.ts',
      'are ignored: an h2c client gets an ordinary answer, its body and connection kept',
    ],
  ),
  row(
    56,
    'slow heads and bodies, thousands that say nothing',
    [
      'edge',
      'bounded',
      'edge/slow-heads.system.test.ts',
      'that comes a byte a second, and a client that says nothing, are given up after 10 s (A6.13a)',
    ],
    [
      'edge',
      'bounded',
      'edge/timeouts.test.ts',
      'give a 408 to a client that sends its body slower than 500 bytes a second (A6.13b)',
    ],
    ['edge', 'bounded', 'edge/limits.test.ts', 'beyond the limit are closed, and counted (A6.13c)'],
  ),
  row(
    57,
    '/../, //, %2e%2e and an encoded NUL',
    ['edge', 'kept', 'edge/peers/cases/targets.ts', 'a path above the root'],
    ['edge', 'kept', 'edge/peers/cases/targets.ts', 'slashes, dots and braces'],
    ['edge', 'kept', 'edge/peers/cases/targets.ts', 'an encoded zero byte'],
    ['HTTP API', 'refused', 'api/bad-input.test.ts', '/v1/apps/list/../destroy'],
  ),
  row(
    58,
    'a request while waking, given up',
    ['edge', 'bounded', 'edge/gate.test.ts', 'is asked for again each second, until it is gone'],
    [
      'edge',
      'bounded',
      'edge/timeouts.test.ts',
      'notice within a second that the client of a queued answer left',
    ],
  ),
  row(59, 'an ACME token that climbs', [
    'edge',
    'refused',
    'edge/tls.test.ts',
    'answers challenges of certificate authorities, redirect or not, for any host (A6.19a)',
  ]),
  row(
    60,
    'CONNECT and absolute targets',
    ['edge', 'refused', 'edge/peers/cases/targets.ts', 'CONNECT'],
    ['edge', 'refused', 'edge/peers/cases/targets.ts', 'an absolute target with a user'],
    ['edge', 'kept', 'edge/forward.test.ts', 'is the path and host of an absolute-form target (A6.3c)'],
  ),

  row(
    61,
    'what is of others in every field',
    [
      'HTTP API',
      'refused',
      'commands/authorise.test.ts',
      '%s answers for an app that is not to be seen as for one that is not there',
    ],
    ['words over SSH', 'refused', 'commands/authorise.test.ts', 'lists only what one may see'],
  ),
  row(
    62,
    'a token that is over, of another app, or in the query',
    ['HTTP API', 'refused', 'api/tcp.test.ts', 'is 401 %s, wherever it asks'],
    ['HTTP API', 'refused', 'commands/tokens.test.ts', 'ends with its time, its revocation, and its user'],
    ['HTTP API', 'refused', 'api/tcp.test.ts', 'narrows rights to the scope of the token'],
  ),
  row(63, 'a token that says who it is', ['HTTP API', 'refused', 'commands/tokens.test.ts', 'is not %j']),
  row(
    64,
    'webhooks without signature, replayed, of a fork, of 50 MB',
    [
      'webhook',
      'refused',
      'plugins/webhooks-receive.test.ts',
      'is not taken unless it is signed with the secret of its app, and the answer tells nothing',
    ],
    [
      'webhook',
      'refused',
      'plugins/webhooks-receive.test.ts',
      'is taken once: not again by its id, nor by its body, nor after a restart',
    ],
    ['webhook', 'refused', 'plugins/webhooks-receive.test.ts', 'with %s deploys nothing'],
    [
      'webhook',
      'refused',
      'plugins/webhooks-receive.test.ts',
      'takes no body over 5 MiB, and knows nothing but its plugins',
    ],
  ),
  row(
    65,
    'requests from pages of others',
    ['HTTP API', 'refused', 'api/tcp.test.ts', 'allows no other origin'],
    ['HTTP API', 'refused', 'api/tcp.test.ts', 'on loopback is 421 for "%s"'],
  ),
  row(66, 'a pattern that backtracks', [
    'logs',
    'bounded',
    'runtime/log-files.test.ts',
    'finds lines by text, time and release, also where many others are after them',
  ]),
  row(
    67,
    'pages of 1e9, negative offsets',
    ['HTTP API', 'refused', 'api/bad-input.test.ts', '/v1/events?app=blog&num=1e9'],
    ['HTTP API', 'refused', 'api/bad-input.test.ts', '/v1/events?app=blog&num=-1'],
  ),
  row(68, 'fields that were not asked for', [
    'HTTP API',
    'refused',
    'api/bad-input.test.ts',
    'with an unknown field',
  ]),
  row(
    69,
    'addresses inside the network',
    [
      'words over SSH',
      'refused',
      'build/fetch/addresses.test.ts',
      '%s is refused whatever it is written like',
    ],
    ['build', 'refused', 'build/fetch/fetcher.system.test.ts', 'is not followed to by a redirect: %s'],
    ['webhook', 'refused', 'build/fetch/post-json.test.ts', 'sends nothing to %s'],
    ['words over SSH', 'refused', 'commands/git.test.ts', 'refuses %s'],
  ),

  row(
    70,
    'sequences for terminals',
    [
      'logs',
      'bounded',
      'build/explain/part.test.ts',
      'shows a file name that would move the cursor as escapes',
    ],
    ['logs', 'bounded', 'commands/registry.test.ts', '\\x1b[31mred'],
    ['edge', 'bounded', 'commands/proxy-logs.test.ts', '/\\\\x1b[2J'],
  ),
  row(
    71,
    'lines without end, and without number',
    ['logs', 'bounded', 'build/mask.test.ts', 'may be very long without the mask becoming slow'],
    ['logs', 'bounded', 'runtime/log-files.test.ts', 'reads the end of a long log'],
  ),
  row(
    72,
    'logs that are no UTF-8',
    ['logs', 'kept', 'runtime/log-files.test.ts', 'joins partial lines and keeps UTF-8 across them'],
    ['logs', 'kept', 'api/exec.test.ts', 'gives bytes that are no text as base64'],
  ),
  row(73, 'lines that imitate the platform', [
    'logs',
    'bounded',
    'commands/proxy-logs.test.ts',
    'a" "b\\n203.0.113.1',
  ]),
  row(
    74,
    'markup in pages',
    ['edge', 'bounded', 'edge/refuse.test.ts', 'name an unknown host, escaped, and what to do (A6.15a)'],
    ['edge', 'bounded', 'edge/refuse.test.ts', 'say why an app does not serve, with markup escaped (A6.15c)'],
  ),
  row(
    75,
    'secrets that a build repeats',
    ['build', 'bounded', 'build/mask.test.ts', 'is hidden wherever it stands, in every kind of line'],
    [
      'build',
      'bounded',
      'build/mask.test.ts',
      'is hidden when the output comes byte by byte, also one beyond ASCII',
    ],
  ),
];
