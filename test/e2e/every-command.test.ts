import { readFileSync } from 'node:fs';
import { Client } from 'ssh2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Command } from '../../src/commands/define.ts';
import { createCoreRegistry } from '../../src/commands/index.ts';
import { faultsOf } from '../api/json-schema.ts';
import { probe } from '../support/apps.ts';
import { createAuthority } from '../support/certificates.ts';
import { type Row, rows } from '../support/every-command.ts';
import { run } from '../support/run.ts';
import { startWherry, type Wherry } from '../support/wherry.ts';

const registry = createCoreRegistry();

describe('every command over SSH', () => {
  let wherry: Wherry;
  let client: Client;
  let table: readonly Row[];
  beforeAll(async () => {
    wherry = await startWherry();
    const pushed = await (await wherry.repository('shop', { from: probe })).push();
    expect(pushed.code, pushed.output).toBe(0);
    client = await login(wherry);
    const { chain, key } = createAuthority().issue(['shop.example.com']);
    table = rows({
      keys: [await publicKey(wherry, 'a'), await publicKey(wherry, 'b')],
      pem: `${chain}\n${key}`,
    });
  });
  afterAll(async () => {
    client?.end();
    await wherry?.stop();
  });

  it('answers with text and as JSON, with its exit status', async () => {
    const wrong: string[] = [];
    for (const row of table) {
      const text = await exec(client, `${row.name} ${row.text}`, row.input);
      wrong.push(...wrongInText(row, text));
      if (row.json === null) continue;
      const json = await exec(client, `${row.name} --format json ${row.json}`, row.input);
      wrong.push(...wrongInJson(row, json));
    }
    expect(wrong).toEqual([]);
  }, 900_000);

  it('tells of a missing app in one sentence, as text and JSON, with 20', async () => {
    const wrong: string[] = [];
    for (const command of registry.list()) {
      const words = nobodysApp(command);
      if (!words) continue;
      const text = await exec(client, words.join(' '), '');
      if (
        text.code !== 20 ||
        !text.stderr.endsWith(' !     App nosuch does not exist\n') ||
        text.stdout !== ''
      )
        wrong.push(`${words.join(' ')}: ${text.code} ${text.stdout}${text.stderr}`);
    }
    expect(wrong).toEqual([]);
  }, 300_000);
});

function wrongInText({ name, text, code, prints }: Row, ran: Ran): string[] {
  const told = `${name} ${text}: ${ran.code} ${ran.stdout}${ran.stderr}`;
  const failedInSilence = code > 1 && !/^ ! {5}.+\.$|^ ! {5}App \S+ does not exist$/m.test(ran.stderr);
  if (ran.code !== code || failedInSilence || !prints.test(ran.stdout)) return [told];
  return /\n\s+at .+:\d+:\d+/.test(ran.stderr) ? [`a stack in ${told}`] : [];
}

function wrongInJson({ name, json, code }: Row, ran: Ran): string[] {
  const told = `${name} --format json ${json}: ${ran.code} ${ran.stdout}${ran.stderr}`;
  if (ran.code !== code) return [told];
  const command = registry.list().find(each => each.name === name || each.aliases?.includes(name));
  const schema = command?.result?.schema ?? {};
  const faults: string[] = [];
  try {
    for (const line of ran.stdout.split('\n').filter(Boolean)) {
      const value = JSON.parse(line);
      if (code > 1 && (typeof value.error.code !== 'string' || typeof value.error.message !== 'string'))
        return [`no error in ${told}`];
      if (code === 0) faults.push(...faultsOf(value, schema));
    }
    return faults.map(fault => `${fault} in ${told}`);
  } catch {
    return [`no JSON in ${told}`];
  }
}

/** An example of a command about an app, with one that does not exist. */
function nobodysApp(command: Command): string[] | undefined {
  if (command.args['app']?.role !== 'app') return undefined;
  const example = command.examples?.find(line => / blog\b/.test(line));
  const made = /^(apps:create|apps:clone|apps:exists)$/.test(command.name);
  return made
    ? undefined
    : example
        ?.replace(' --format json', '')
        .replace(/ blog\b/, ' nosuch')
        .split(' ');
}

type Ran = { readonly code: number; readonly stdout: string; readonly stderr: string };

function login(wherry: Wherry): Promise<Client> {
  const client = new Client();
  return new Promise((resolve, reject) => {
    client
      .once('ready', () => resolve(client))
      .once('error', reject)
      .connect({
        host: '127.0.0.1',
        port: wherry.sshPort,
        username: 'wherry',
        privateKey: readFileSync(wherry.key),
      });
  });
}

/** One line on the open connection. */
function exec(client: Client, line: string, input: string): Promise<Ran> {
  return new Promise((resolve, reject) => {
    client.exec(line, (error, channel) => {
      if (error) return reject(error);
      let [stdout, stderr] = ['', ''];
      channel.on('data', (piece: Buffer) => {
        stdout += piece;
      });
      channel.stderr.on('data', (piece: Buffer) => {
        stderr += piece;
      });
      channel.once('close', (code: number | null) => resolve({ code: code ?? -1, stdout, stderr }));
      channel.end(input);
    });
  });
}

async function publicKey(wherry: Wherry, name: string): Promise<string> {
  const file = `${wherry.scratch}/${name}`;
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', file], { timeout: 20_000 });
  return readFileSync(`${file}.pub`, 'utf8').trim();
}
