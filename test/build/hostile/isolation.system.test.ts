import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readRecord } from '../../../src/build/lifecycle/record.ts';
import type { Built } from '../support/bench.ts';
import { outputOf } from '../support/output-of.ts';
import { type ShellBench, shellBenches, web } from '../support/shell-bench.ts';

// Buildpacks that want more than their own layers: what they try fails, is told, or does no harm, and nothing stays on the host.

const { open, source, atEnd } = shellBenches();

const launched = (name: string) => `printf '[types]\\nlaunch = true\\n' > "$CNB_LAYERS_DIR/${name}.toml"`;
const makeLayer = `l=$CNB_LAYERS_DIR/l; mkdir -p "$l"; ${launched('l')}`;
/** Says so when a thing could be done that may not be. */
const attempts = (tries: Readonly<Record<string, string>>) =>
  Object.entries(tries)
    .map(([name, command]) => `if (${command}) >/dev/null 2>&1; then echo "got ${name}"; fi`)
    .join('\n');
const got = ({ output }: Pick<Built, 'output'>) => output.filter(line => line.startsWith('got '));

/** Host folder of a layer that a build exported. */
function layerOf(bench: ShellBench, buildpack: string, name: string): string {
  const record = readRecord(bench.paths.builds, 'app')?.buildpacks.find(({ id }) => id === buildpack);
  const diffId = record?.layers.find(layer => layer.name === name)?.diffId ?? 'sha256:';
  return join(bench.layers.layerPath(diffId), 'layers', buildpack, name);
}

describe('a hostile buildpack', () => {
  it("S4 writes to its own layers and the app, and to nobody else's", async () => {
    const first = `${makeLayer}; echo mine > "$l/file"; chmod -R a+rwX "$CNB_LAYERS_DIR"`;
    const tries = attempts({
      'a file of another layer': 'echo evil > /layers/first/l/file',
      'a new file there': 'touch /layers/first/l/new',
      'its toml': 'echo evil >> /layers/first/l.toml',
      'its deletion': 'rm -rf /layers/first/l/file',
      'its mode': 'chmod 777 /layers/first/l',
      'its name': 'mv /layers/first/l /layers/second/stolen',
      'a hard link to it': 'ln /layers/first/l/file /layers/second/link && echo evil > /layers/second/link',
      'the layers of a later one': 'touch /layers/third/x',
      'a new folder of layers': 'mkdir /layers/new',
      'its own layers': 'touch "$CNB_LAYERS_DIR/own"',
      'the app': 'touch /workspace/own',
    });
    const bench = await open({ first: { build: first }, second: { build: tries }, third: { build: web } });
    const built = await bench.build(source());
    expect(got(built)).toEqual(['got its own layers', 'got the app']);
    const dir = layerOf(bench, 'first', 'l');
    expect(readdirSync(dir)).toEqual(['file']);
    expect(readFileSync(join(dir, 'file'), 'utf8')).toBe('mine\n');
  });

  it('S4 finds neither the host, nor a way to change what the platform gives it', async () => {
    const canary = mkdtempSync(join(tmpdir(), 'wherry-canary-'));
    atEnd(() => rmSync(canary, { recursive: true }));
    const tries = attempts({
      'its own folder': 'touch "$CNB_BUILDPACK_DIR/x"',
      'its own program': 'echo true > "$CNB_BUILDPACK_DIR/bin/build"',
      '/cnb': 'touch /cnb/x',
      'the plans': 'touch /cnb/plans/x',
      'the platform': 'touch /platform/x || touch /platform/env/x',
      '/usr': 'touch /usr/x',
      '/etc': 'touch /etc/x || echo "1.1.1.1 x" >> /etc/hosts',
      'the init': 'echo x > /.wherry/init',
      'a setting of the kernel': 'echo 1 > /proc/sys/vm/drop_caches || echo x > /proc/sysrq-trigger',
      'a cgroup': 'mkdir /sys/fs/cgroup/memory/x || mkdir /sys/fs/cgroup/x',
      'a mount': 'mount -t tmpfs none /tmp || mount --bind /workspace /mnt',
      'a namespace': 'unshare --user --map-root-user true || unshare --mount true',
      'a device': 'mknod "$CNB_LAYERS_DIR/d" c 1 3 || mknod "$CNB_LAYERS_DIR/w" c 0 0',
      'a disk': 'cat /dev/sda || cat /dev/vda || cat /dev/mem || cat /dev/kmsg',
      root: 'su -c true || sudo -n true',
      'an owner': 'touch /tmp/o && chown 0:0 /tmp/o',
      'the first process': 'kill -KILL 1 && ! kill -0 1',
      'a process of the host': `ls /proc | grep -qx ${process.pid}`,
      "the host's files": `ls ${canary} || ls ${tmpdir()}/wherry-build-*`,
      'the host through the first process': 'ls /proc/1/root/',
    });
    const bench = await open({ evil: { build: `${tries}; id -u; ${web}` } });
    const built = await bench.build(source());
    expect(got(built)).toEqual([]);
    expect(built.output).toContain('1000');
    expect(readdirSync(canary)).toEqual([]);
  });

  it('leaves no process behind, not even for the next buildpack', async () => {
    const daemon = `setsid bash -c 'exec < /dev/null > /dev/null 2>&1; trap "" TERM HUP; while :; do echo x >> /workspace/late; sleep 0.05; done' &
      sleep 0.5; (setsid sleep 98761 < /dev/null > /dev/null 2>&1 &); [[ -s /workspace/late ]]`;
    const look = `before=$(wc -c < /workspace/late); sleep 0.5; [[ $(wc -c < /workspace/late) == "$before" ]]
      ! grep -l 98761 /proc/[0-9]*/cmdline; ls -d /proc/[0-9]* | wc -l | sed 's/^/processes /'; ${web}`;
    const bench = await open({ first: { build: daemon }, second: { build: look } });
    const { output } = await bench.build(source());
    // The init, the shell and the pipe of the look itself.
    expect(Number(output.find(line => line.startsWith('processes '))?.split(' ')[1])).toBeLessThanOrEqual(5);
    expect(commandsOnHost().filter(command => command.includes('98761'))).toEqual([]);
  });

  it('puts odd files into a layer, which do no harm', async () => {
    const build = `${makeLayer}
      cp /bin/true "$l/setuid"; chmod 6755 "$l/setuid"
      perl -e 'use Socket; socket(my $s, AF_UNIX, SOCK_STREAM, 0); bind($s, pack_sockaddr_un($ARGV[0])) or die' "$l/socket"
      mkfifo "$l/fifo"
      ln -s /etc/shadow "$l/absolute"; ln -s ../../../../../../../../etc/shadow "$l/climbing"; ln -s nowhere "$l/dangling"; ln -s loop "$l/loop"
      long=$(printf 'x%.0s' $(seq 100)); mkdir -p "$l/$long/$long/$long"; echo deep > "$l/$long/$long/$long/file"
      mkdir -p "$l/env.launch" "$l/profile.d"; ln -s /etc/hostname "$l/env.launch/NAME"; ln -s /etc/passwd "$l/profile.d/run"
      ln -s / "$l/env"; touch "$l/"$'new\\nline' "$l/ spaces " "$l/-rf" "$l/*"; chmod 000 "$l/-rf"
      printf '[[processes]]\\ntype = "web"\\ncommand = ["bash", "-c", "grep NoNewPrivs /proc/self/status; env"]\\n' > "$CNB_LAYERS_DIR/launch.toml"`;
    const bench = await open({ odd: { build } });
    const { image } = await bench.build(source());
    const dir = layerOf(bench, 'odd', 'l');
    const long = 'x'.repeat(100);
    expect(readdirSync(dir).sort()).toEqual(
      [
        ...[' spaces ', '*', '-rf', 'absolute', 'climbing', 'dangling', 'env', 'env.launch'],
        ...['loop', 'new\nline', 'profile.d', 'setuid', long],
      ].sort(),
    );
    expect(readlinkSync(join(dir, 'absolute'))).toBe('/etc/shadow');
    expect(lstatSync(join(dir, 'climbing')).isSymbolicLink()).toBe(true);
    expect(lstatSync(join(dir, 'setuid'))).toMatchObject({ uid: 1000, gid: 1000 });
    expect(readFileSync(join(dir, long, long, long, 'file'), 'utf8')).toBe('deep\n');
    expect(image.env).not.toHaveProperty('NAME');
    const output = await outputOf(bench, image);
    expect(output).toMatch(/NoNewPrivs:\s+1/);
    expect(output).not.toMatch(/^NAME=/m);
    // A rebuild restores the same, byte for byte.
    expect((await bench.build(source(), { fresh: true })).image.id).toBe(image.id);
  });

  it.each([
    ['a layer', `${makeLayer}; touch "$l/"$'a\\377b'; ${web}`],
    ['the app', `mkdir /workspace/d; touch /workspace/d/$'a\\377b'; ${web}`],
  ])('is told of a name in %s that is not UTF-8', async (_name, build) => {
    const bench = await open({ odd: { build } });
    await expect(bench.build(source())).rejects.toMatchObject({
      code: 'build-failed',
      message: expect.stringMatching(
        /^".*a\\u\{fffd\}b" is not named in UTF-8\. Rename it in the app or its build\.$/,
      ),
    });
  });

  it.each([
    ['.', 'cache = true'],
    ['..', 'launch = true'],
    ['..', 'cache = true'],
  ])('S4 cannot name a layer %s with %s', async (name, type) => {
    const build = `printf '[types]\\n${type}\\n' > "$CNB_LAYERS_DIR/${name}.toml"; ${web}`;
    const bench = await open({ first: { build: makeLayer }, odd: { build } });
    await expect(bench.build(source())).rejects.toMatchObject({
      code: 'build-failed',
      message: `"${name}" is no name for a layer of odd. Rename ${name}.toml.`,
    });
  });

  it.each([
    ['its toml is a fifo', 'mkfifo "$CNB_LAYERS_DIR/x.toml"', 'x.toml of odd is not a plain file'],
    [
      'its toml is a link to the host',
      'ln -s /etc/shadow "$CNB_LAYERS_DIR/launch.toml"',
      'is a symbolic link',
    ],
    [
      'its toml has two megabytes',
      'head -c 2M /dev/zero | tr "\\\\0" "#" > "$CNB_LAYERS_DIR/x.toml"',
      'x.toml of odd is larger than 1024 KiB',
    ],
  ])('S4 is told when %s', async (_name, build, message) => {
    const bench = await open({ odd: { build: `${web}; rm "$CNB_LAYERS_DIR/launch.toml"; ${build}` } });
    await expect(bench.build(source())).rejects.toThrow(message);
  });
});

function commandsOnHost(): readonly string[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name) && existsSync(`/proc/${name}/cmdline`))
    .map(name => {
      try {
        return readFileSync(`/proc/${name}/cmdline`, 'utf8');
      } catch {
        return '';
      }
    });
}
