import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAppName } from '../../src/domain/names.ts';
import { type BuildBench, openBench } from '../build/support/bench.ts';

let bench: BuildBench;
let work: string;

beforeAll(async () => {
  bench = await openBench();
  work = mkdtempSync(join(tmpdir(), 'wherry-bad-'));
});
afterAll(async () => {
  await bench.close();
  rmSync(work, { recursive: true, force: true });
});

// What a language is built with is up to half a gigabyte, which the first build on a host downloads.
const patience = 420_000;

type Files = Readonly<Record<string, string>>;
type Case = readonly [what: string, files: Files, sentence: RegExp];

const manifest = (more: object = {}) => JSON.stringify({ name: 'bad', version: '1.0.0', ...more });
const npmLock = JSON.stringify({
  name: 'bad',
  version: '1.0.0',
  lockfileVersion: 3,
  packages: { '': { name: 'bad', version: '1.0.0' } },
});

const cases: Readonly<Record<string, readonly Case[]>> = {
  nodejs: [
    [
      'a manifest that does not parse',
      { 'package.json': '{ "name": ' },
      /^Invalid package\.json: .* at line 1, column 11\. Correct it\.$/,
    ],
    [
      'a manifest that is a list',
      { 'package.json': '[]' },
      /^package\.json is not valid: it must hold a JSON object\. Correct it\.$/,
    ],
    [
      'a version that is none',
      { 'package.json': manifest({ engines: { node: 'newest' } }), 'server.js': '' },
      /^Node version "newest" cannot be had\. Set engines\.node in package\.json to one of \S+, .*24\.x/,
    ],
    [
      'a version that cannot be had',
      { 'package.json': manifest(), '.nvmrc': '3.14\n', 'server.js': '' },
      /^Node version "3\.14" cannot be had\. Set engines\.node in package\.json to one of \S+, .*24\.x/,
    ],
    [
      'a lock file that does not parse',
      { 'package.json': manifest(), 'package-lock.json': '{', 'server.js': '' },
      /^package-lock\.json does not parse\. Delete it, run npm install and commit it\.$/,
    ],
    [
      'a lock file of pnpm that does not parse',
      { 'package.json': manifest({ dependencies: { ms: '2.1.3' } }), 'pnpm-lock.yaml': '{', 'server.js': '' },
      /^pnpm-lock\.yaml does not parse\. Delete it, run pnpm install and commit it\.$/,
    ],
    [
      'a lock file that is out of step',
      {
        'package.json': manifest({ dependencies: { ms: '2.1.3' } }),
        'package-lock.json': npmLock,
        'server.js': '',
      },
      /^package-lock\.json is out of step with package\.json: ms@2\.1\.3 is missing from it\. Run npm install and commit package-lock\.json\.$/,
    ],
    [
      'two lock files',
      { 'package.json': manifest(), 'package-lock.json': npmLock, 'bun.lock': '{}', 'server.js': '' },
      /^Both package-lock\.json and bun\.lock are in the repository, .* Keep the one that you use and remove the other\.$/,
    ],
    [
      'nothing to start',
      { 'package.json': manifest() },
      /^The build gave no process to run\. Add a Procfile with a line such as "web: npm start"\.$/,
    ],
    [
      'a workspace of another folder',
      { 'package.json': manifest({ dependencies: { words: 'workspace:*' } }), 'server.js': '' },
      /^package\.json names words of a workspace whose root is not what is built\. Let /,
    ],
  ],
  python: [
    [
      'a manifest that does not parse',
      { 'pyproject.toml': '[project]\nname = \n', 'main.py': '' },
      /^pyproject\.toml does not parse: .* line 2, .* Correct it\.$/,
    ],
    [
      'a version that is none',
      { '.python-version': 'newest\n', 'main.py': '' },
      /^Python version "newest" of \.python-version cannot be had: this host has 3\.11\.\d+\. Ask for 3\.11 there\.$/,
    ],
    [
      'a version that cannot be had',
      { '.python-version': '3.14\n', 'main.py': '' },
      /^Python version "3\.14" of \.python-version cannot be had: this host has 3\.11\.\d+\. Ask for 3\.11 there\.$/,
    ],
    [
      'no lock file',
      { Pipfile: '[packages]\nflask = "*"\n', 'main.py': '' },
      /^There is a Pipfile and no Pipfile\.lock\. Run pipenv lock and commit Pipfile\.lock\.$/,
    ],
    [
      'no lock file of poetry',
      {
        'pyproject.toml': '[tool.poetry]\nname = "bad"\n[tool.poetry.dependencies]\npython = "^3.11"\n',
        'main.py': '',
      },
      /^pyproject\.toml has dependencies for poetry and there is no poetry\.lock\. Run poetry lock and commit poetry\.lock\.$/,
    ],
    [
      'a lock file that does not parse',
      { Pipfile: '[packages]\n', 'Pipfile.lock': '{', 'main.py': '' },
      /^Pipfile\.lock does not parse: .* line 1 .* Correct it\.$/,
    ],
    [
      'a lock file that is out of step',
      { Pipfile: '[packages]\nflask = "*"\n', 'Pipfile.lock': '{"default":{}}', 'main.py': '' },
      /^Pipfile\.lock is out of step with Pipfile: flask is missing from it\. Run pipenv lock and commit Pipfile\.lock\.$/,
    ],
    [
      'two lock files',
      {
        Pipfile: '[packages]\n',
        'Pipfile.lock': '{"default":{}}',
        'poetry.lock': '',
        'pyproject.toml': '[project]\nname = "bad"\n',
        'main.py': '',
      },
      /^Both poetry\.lock and Pipfile\.lock are in the repository, .* Keep the one that you use and remove the other\.$/,
    ],
    [
      'a broken requirement',
      { 'requirements.txt': '=== \n', 'main.py': '' },
      /^requirements\.txt line 1 holds "===", which is no requirement\. Correct it\.$/,
    ],
    [
      'nothing to start',
      { 'requirements.txt': '' },
      /^There is no main\.py, app\.py, wsgi\.py, asgi\.py or manage\.py to run\. Add one, or a Procfile with a line such as /,
    ],
  ],
  go: [
    [
      'a manifest that does not parse',
      { 'go.mod': 'modul bad\n', 'main.go': 'package main\nfunc main() {}\n' },
      /^go\.mod does not parse: line 1: unknown directive: modul\. Correct it\.$/,
    ],
    [
      'a version that is none',
      { 'go.mod': 'module bad\n\ngo newest\n', 'main.go': 'package main\nfunc main() {}\n' },
      /^go\.mod names Go version "newest", which is no version of Go\. Write "go 1\.19" or lower\.$/,
    ],
    [
      'a version that cannot be had',
      { 'go.mod': 'module bad\n\ngo 1.22\n', 'main.go': 'package main\nfunc main() {}\n' },
      /^go\.mod asks for Go 1\.22, which cannot be had: this host has Go 1\.19\. Write "go 1\.19" or lower in go\.mod/,
    ],
    [
      'no lock file',
      {
        'go.mod': 'module bad\n\ngo 1.18\n\nrequire example.org/a v1.0.0\n',
        'main.go': 'package main\nimport _ "example.org/a"\nfunc main() {}\n',
      },
      /^go\.mod and go\.sum do not name every module that the app uses\. Run go mod tidy and commit both\.$/,
    ],
    [
      'nothing to start',
      { 'go.mod': 'module bad\n\ngo 1.18\n', 'bad.go': 'package bad\n' },
      /^There is no main package in the root of the repository or in cmd\/\. Add one, or name it: wherry config:set GO_INSTALL_PACKAGE_SPEC=/,
    ],
    [
      'several programs',
      {
        'go.mod': 'module bad\n\ngo 1.18\n',
        'cmd/a/a.go': 'package main\nfunc main() {}\n',
        'cmd/b/b.go': 'package main\nfunc main() {}\n',
      },
      /^The app has the programs a b, and none is named bad, web or server\. Add a Procfile with a line such as "web: a"\.$/,
    ],
  ],
  ruby: [
    [
      'a manifest that does not parse',
      {
        Gemfile: 'gem "\n',
        'Gemfile.lock': 'GEM\n  specs:\n\nPLATFORMS\n  ruby\n\nDEPENDENCIES\n',
        'app.rb': '',
      },
      /^Gemfile does not parse: unterminated string .* Correct it\.$/,
    ],
    [
      'a version that is none',
      { Gemfile: '', 'Gemfile.lock': '', '.ruby-version': 'newest\n', 'app.rb': '' },
      /^Ruby version "newest" in \.ruby-version cannot be had\. Set it to 3\.1, which is Ruby 3\.1\.\d+ here\.$/,
    ],
    [
      'a version that cannot be had',
      { Gemfile: '', 'Gemfile.lock': '', '.ruby-version': '3.3.0\n', 'app.rb': '' },
      /^Ruby version "3\.3\.0" in \.ruby-version cannot be had\. Set it to 3\.1, which is Ruby 3\.1\.\d+ here\.$/,
    ],
    [
      'no lock file',
      { Gemfile: '', 'app.rb': '' },
      /^Gemfile\.lock is missing, .* Run bundle install and commit Gemfile\.lock\.$/,
    ],
    [
      'a lock file that does not parse',
      { Gemfile: '', 'Gemfile.lock': '<<<<<<< HEAD\n', 'app.rb': '' },
      /^Gemfile\.lock does not parse\. Run bundle install and commit Gemfile\.lock\.$/,
    ],
    [
      'a lock file that is out of step',
      {
        Gemfile: 'source "https://gems.example.org"\ngem "boat"\n',
        'Gemfile.lock': 'GEM\n  specs:\n\nPLATFORMS\n  ruby\n\nDEPENDENCIES\n',
        'app.rb': '',
      },
      /^Gemfile\.lock is out of step with Gemfile: boat is missing from it\. Run bundle install and commit Gemfile\.lock\.$/,
    ],
    [
      'nothing to start',
      { Gemfile: '', 'Gemfile.lock': 'GEM\n  specs:\n\nPLATFORMS\n  ruby\n\nDEPENDENCIES\n' },
      /^There is no config\.ru, app\.rb, server\.rb or main\.rb to run\. Add one, or a Procfile with a line such as /,
    ],
  ],
  php: [
    [
      'a manifest that does not parse',
      { 'composer.json': '{', 'index.php': '' },
      /^composer\.json is not valid: .* line 1, .* Correct it\.$/,
    ],
    [
      'a version that is none',
      { 'composer.json': '{"require":{"php":"newest"}}', 'index.php': '' },
      /^PHP version "newest" in composer\.json cannot be had\. Set require\.php to one that PHP 8\.2\.\d+ fits, such as "\^8\.2"\.$/,
    ],
    [
      'a version that cannot be had',
      { 'composer.json': '{"require":{"php":"^8.4"}}', 'index.php': '' },
      /^PHP version "\^8\.4" in composer\.json cannot be had\. Set require\.php to one that PHP 8\.2\.\d+ fits, such as "\^8\.2"\.$/,
    ],
    [
      'no lock file',
      { 'composer.json': '{"require":{"a/b":"1"}}', 'index.php': '' },
      /^composer\.lock is missing, .* Run composer update and commit composer\.lock\.$/,
    ],
    [
      'a lock file that does not parse',
      { 'composer.json': '{"require":{"a/b":"1"}}', 'composer.lock': '{', 'index.php': '' },
      /^composer\.lock is not valid: .* line 1, .* Run composer update and commit composer\.lock\.$/,
    ],
    [
      'a lock file that is out of step',
      {
        'composer.json': '{"require":{"a/b":"1"}}',
        'composer.lock': '{"packages":[],"packages-dev":[],"content-hash":"x"}',
        'index.php': '',
      },
      /^composer\.lock is out of step with composer\.json: it does not hold a\/b as asked for\. Run composer update and commit composer\.lock\.$/,
    ],
    [
      'nothing to start',
      { 'composer.json': '{}' },
      /^There is no index\.php in the root, public or web\. Add one, or a Procfile with a line such as /,
    ],
  ],
  java: [
    [
      'a manifest that does not parse',
      { 'pom.xml': '<project' },
      /^pom\.xml does not parse: .+ Correct it\.$/,
    ],
    [
      'a version that is none',
      { 'pom.xml': '', 'system.properties': 'java.runtime.version=newest\n' },
      /^Java version "newest" in system\.properties cannot be had\. Set it to 17, which is the one that can\.$/,
    ],
    [
      'a version that cannot be had',
      { 'pom.xml': '', 'system.properties': 'java.runtime.version=21\n' },
      /^Java version "21" in system\.properties cannot be had\. Set it to 17, which is the one that can\.$/,
    ],
    [
      'no wrapper',
      { 'build.gradle': '' },
      /^The Gradle wrapper is missing\. Run gradle wrapper and commit gradlew with its folder gradle\.$/,
    ],
  ],
  rust: [
    [
      'a manifest that does not parse',
      { 'Cargo.toml': '[package\n' },
      /^Cargo\.toml cannot be used: it does not parse at line 1, column 9\. Correct it\.$/,
    ],
    [
      'a version that is none',
      {
        'Cargo.toml': '[package]\nname = "bad"\nversion = "1.0.0"\nrust-version = "newest"\n',
        'src/main.rs': 'fn main() {}',
      },
      /^Cargo\.toml cannot be used: `rust-version` must be a value like "1\.32"\. Correct it\.$/,
    ],
    [
      'a version that cannot be had',
      {
        'Cargo.toml': '[package]\nname = "bad"\nversion = "1.0.0"\nrust-version = "1.99"\n',
        'src/main.rs': 'fn main() {}',
      },
      /^Cargo\.toml asks for Rust 1\.99 \(rust-version\), and 1\.63\.\d+ is what can be had\. Lower it\.$/,
    ],
    [
      'a lock file that does not parse',
      {
        'Cargo.toml': '[package]\nname = "bad"\nversion = "1.0.0"\n',
        'Cargo.lock': '<<<<<<< HEAD\n',
        'src/main.rs': 'fn main() {}',
      },
      /^Cargo\.lock does not parse\. Delete it, run cargo generate-lockfile and commit it\.$/,
    ],
    [
      'a lock file that is out of step',
      {
        'Cargo.toml': '[package]\nname = "bad"\nversion = "1.0.0"\n[dependencies]\na = { path = "a" }\n',
        'a/Cargo.toml': '[package]\nname = "a"\nversion = "1.0.0"\n',
        'a/src/lib.rs': '',
        'Cargo.lock': 'version = 3\n',
        'src/main.rs': 'fn main() {}',
      },
      /^Cargo\.lock is out of step with Cargo\.toml\. Run cargo update --workspace and commit Cargo\.lock\.$/,
    ],
    [
      'nothing to start',
      {
        'Cargo.toml': '[package]\nname = "bad"\nversion = "1.0.0"\n',
        'Cargo.lock': 'version = 3\n\n[[package]]\nname = "bad"\nversion = "1.0.0"\n',
        'src/lib.rs': '',
      },
      /^Cargo\.toml makes no program\. Add src\/main\.rs, or a Procfile that says what runs\.$/,
    ],
  ],
  deno: [
    [
      'a manifest that does not parse',
      { 'deno.json': '{ "tasks": ', 'main.ts': '' },
      /^deno\.json is not valid: .+ Correct it\.$/,
    ],
    [
      'a version that is none',
      { 'deno.json': '{}', '.deno-version': 'newest\n', 'main.ts': '' },
      /^Deno version "newest" cannot be had\. Set \.deno-version to one of 2\.x/,
    ],
    [
      'a version that cannot be had',
      { 'deno.json': '{}', '.deno-version': '0.1\n', 'main.ts': '' },
      /^Deno version "0\.1" cannot be had\. Set \.deno-version to one of 2\.x/,
    ],
    [
      'a lock file that does not parse',
      { 'deno.json': '{}', 'deno.lock': '{', 'main.ts': '' },
      /^deno\.lock does not parse\. Delete it, run deno install and commit deno\.lock\.$/,
    ],
    [
      'nothing to start',
      { 'deno.json': '{}' },
      /^There is no task start, main\.ts or server\.ts to run\. Add one, or a Procfile with a line such as /,
    ],
  ],
  static: [
    [
      'an option that is none',
      { Staticfile: 'rooot: www\n' },
      /^Staticfile line 1 names "rooot", which is not known\. Use root, pushstate, directory, 404 or immutable\.$/,
    ],
    [
      'nothing to serve',
      { Staticfile: '' },
      /^No index\.html is in the app.s folder, .* Add one, or name its folder in Staticfile with a line such as root: www\.$/,
    ],
  ],
  procfile: [
    [
      'a line that is none',
      { Procfile: 'web node server.js\n' },
      /^Invalid Procfile: line 1 .* Write for example "web: node server\.js"\.$/,
    ],
  ],
};

describe.each(Object.entries(cases))('an app for the buildpack %s', (language, rows) => {
  it.each(rows)(
    'with %s is refused in one sentence',
    async (_what, files, sentence) => {
      const dir = mkdtempSync(join(work, 'app-'));
      for (const [path, text] of Object.entries(files)) {
        mkdirSync(dirname(join(dir, path)), { recursive: true });
        writeFileSync(join(dir, path), text);
      }
      await expect(bench.build(dir, { app: parseAppName(`bad-${language}`) })).rejects.toThrow(sentence);
    },
    patience,
  );
});
