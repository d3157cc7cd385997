import { describe, expect, it } from 'vitest';
import { scanDockerfile } from '../../../src/build/dockerfile/scan.ts';

const scan = (...lines: string[]) => scanDockerfile(lines.join('\n'));
const from = 'FROM debian:12';

describe('a Dockerfile', () => {
  it('is written out with full image names, comments and continuations gone', () => {
    const { text, warnings } = scan(
      '# syntax=docker/dockerfile:1.7',
      'ARG VERSION=20',
      'from --platform=$BUILDPLATFORM node:${VERSION}-slim as Build',
      'RUN apt-get update && \\',
      '  # a comment in between',
      '',
      '  apt-get install -y curl',
      `FROM owner/image@sha256:${'a'.repeat(64)}`,
      'COPY --link --from=build --chown=1000:1000 /a /b',
      'COPY --from=0 /a /c',
      'CMD ["node", "server.js"]',
    );
    expect(text.trim().split('\n')).toEqual([
      'ARG VERSION=20',
      'FROM localhost/docker.io/library/node:20-slim as Build',
      'RUN apt-get update &&    apt-get install -y curl',
      `FROM localhost/docker.io/owner/image:sha256-${'a'.repeat(64)}`,
      'COPY --from=build --chown=1000:1000 /a /b',
      'COPY --from=0 /a /c',
      'CMD ["node", "server.js"]',
    ]);
    expect(warnings).toEqual([]);
  });

  it.each([
    ['wherry/stack', 'localhost/wherry/stack:latest'],
    ['wherry/stack:latest', 'localhost/wherry/stack:latest'],
    ['wherry/stack:debian-13', 'localhost/wherry/stack:debian-13'],
    ['registry.example.org:5000/a/b:1', 'localhost/registry.example.org_5000/a/b:1'],
    ['localhost/wherry/stack', 'localhost/localhost/wherry/stack:latest'],
    ['alpine', 'localhost/docker.io/library/alpine:latest'],
  ])('starts FROM %s by a name that no registry is asked for', (image, local) => {
    const { text, bases } = scan(`FROM ${image}`);
    expect(text).toBe(`FROM ${local}\n`);
    expect(bases.map(base => base.local)).toEqual([local]);
  });

  it('tells each thing that it starts or copies from once, with its line', () => {
    const { bases } = scan(
      'FROM scratch AS none',
      'FROM wherry/stack:other AS web',
      'FROM web',
      'COPY --from=team/tools:1 /a /b',
      'COPY --from=team/tools:1 /c /d',
      'COPY --from=none /a /b',
    );
    expect(bases.map(({ kind, line }) => [kind, line])).toEqual([
      ['stack', 2],
      ['image', 4],
    ]);
  });

  it('loses cache mounts and ONBUILD, and says so', () => {
    const { text, warnings } = scan(from, 'RUN --mount=type=cache,target=/root/.npm npm ci', 'ONBUILD RUN x');
    expect(text).toContain('\nRUN npm ci\n');
    expect(text).not.toMatch(/^ONBUILD/m);
    expect(warnings).toHaveLength(2);
  });

  it('has its SHELL for commands too, which the image builder keeps for RUN, until the next stage', () => {
    const { text } = scan(from, 'CMD a', 'SHELL ["/bin/ash", "-c"]', 'CMD b "c"', 'CMD ["d"]', from, 'CMD e');
    expect(text.split('\n').filter(line => line.startsWith('CMD'))).toEqual([
      'CMD a',
      'CMD ["/bin/ash","-c","b \\"c\\""]',
      'CMD ["d"]',
      'CMD e',
    ]);
  });

  it('knows its stages by number and name, and starts one with the SHELL of the one it is from', () => {
    const { text, bases } = scan(
      'FROM scratch AS One',
      'SHELL ["/one"]',
      'FROM scratch',
      'COPY --from=0 /a /a',
      'FROM one',
      'COPY --from=1 /b /b',
      'COPY --from=ONE /c /c',
      'CMD x',
    );
    expect(bases).toEqual([]);
    expect(text).toContain('CMD ["/one","x"]');
    expect(scanDockerfile('FROM scratch AS a\nFROM scratch', { target: '1' }).bases).toEqual([]);
    expect(() => scanDockerfile('FROM scratch AS a\nFROM scratch', { target: '2' })).toThrow('no stage "2"');
  });

  it('with ` as its escape character is read by it', () => {
    expect(scan('# escape=`', from, 'RUN a `', '  --mount=x').text).toContain('RUN a    --mount=x');
    expect(() => scan('# escape=`', from, 'RUN `', '--mount=type=bind,source=/,target=/h ls')).toThrow(
      'mounts nothing',
    );
  });

  it.each([
    ['ONBUILD of nothing', [from, 'ONBUILD '], 'Dockerfile, line 2: has ONBUILD without an instruction'],
    ['ONBUILD of itself', [from, 'ONBUILD ONBUILD RUN x'], 'Dockerfile, line 2: has ONBUILD without'],
    ['another front end', ['#syntax=evil.example.org/x', from], '#syntax='],
    [
      'a bind mount',
      [from, 'RUN --mount=type=bind,from=debian,target=/x ls'],
      'Dockerfile, line 2: RUN --mount=',
    ],
    [
      'a mount behind a line break',
      [from, 'RUN \\', ' --mount=type=bind,source=/,target=/x ls'],
      'mounts nothing',
    ],
    ['a mount without a type', [from, 'RUN --mount=target=/x ls'], 'mounts nothing'],
    ['a secret mount', [from, 'RUN --mount=type=secret,id=a ls'], 'mounts nothing'],
    [
      'a second mount',
      [from, 'RUN --mount=type=cache,target=/a --mount=type=bind,target=/b ls'],
      'mounts nothing',
    ],
    ["the host's network", [from, 'RUN --network=host curl x'], 'a network of their own'],
    ['more rights', [from, 'RUN --security=insecure ls'], 'is refused'],
    ['a flag nobody knows', [from, 'run --device=/dev/sda ls'], 'is refused'],
    ['a mount in ONBUILD', [from, 'ONBUILD RUN --mount=type=bind,target=/x ls'], 'mounts nothing'],
    ['a metadata address', [from, 'ADD http://169.254.169.254/latest/meta-data/ /x'], 'inside this network'],
    ['the same as a number', [from, 'ADD http://2852039166/latest /x'], 'inside this network'],
    ['the same as IPv6', [from, 'ADD http://[::ffff:169.254.169.254]/ /x'], 'inside this network'],
    ['the same by name', [from, 'ADD ["http://metadata.google.internal/", "/x"]'], 'inside this network'],
    ['loopback', [from, 'ADD http://localhost:9000/ /x'], 'inside this network'],
    ['a host that is put together', [from, 'ADD http://${HOST}/ /x'], 'no URL that can be fetched'],
    ['a file of the host', [from, 'ADD file:///etc/shadow /x'], 'no URL that can be fetched'],
    ['a repository', [from, 'ADD git@example.org:a/b.git /x'], 'repositories are not fetched'],
    ['FROM a file of the host', ['FROM docker-archive:/etc/x.tar'], 'is no name of an image'],
    ['FROM a folder of the host', ['FROM oci:/var/lib/x'], 'is no name of an image'],
    ['FROM a path', ['FROM /etc'], 'is no name of an image'],
    ['FROM a path by ARG', ['ARG BASE=dir:/etc', 'FROM ${BASE}'], 'is no name of an image'],
    ['FROM nothing', ['FROM $BASE'], 'ARG BASE has no value'],
    ['COPY from a folder of the host', [from, 'COPY --from=dir:/etc /shadow /x'], 'is no name of an image'],
    ['COPY from what is put together', [from, 'COPY --from=$X /shadow /x'], 'is no name of an image'],
    ['a here-document without end', [from, 'RUN <<EOF', 'ls'], 'line 2: "<<EOF" has no end: a line "EOF"'],
    [
      'one that is to be filled in',
      [from, 'COPY <<EOF /x', 'a $B', 'EOF'],
      "Write <<'EOF', or RUN cat <<EOF > file",
    ],
    ['one beside --from', [from, 'COPY --from=debian <<EOF /x', 'EOF'], 'not both'],
    ['a mount beside one', [from, 'RUN --mount=type=bind,target=/x <<EOF', 'EOF'], 'mounts nothing'],
    [
      'a mount behind one',
      [from, 'RUN <<EOF', 'EOF', 'RUN --mount=type=bind,target=/x ls'],
      'line 4: RUN --mount=',
    ],
    ['a line that is too long', [from, `RUN echo ${'x'.repeat(70_000)}`], 'line 2: RUN is longer than 60 kB'],
    ['no FROM', ['RUN ls'], 'it has no FROM'],
    ['no instruction', [from, '=x'], 'line 2: begins with no instruction'],
    ['too many instructions', Array.from({ length: 1001 }, () => from), 'one more than'],
  ])('with %s is refused', (_, lines, message) => {
    expect(() => scan(...lines)).toThrow(message);
  });
});

describe('a here-document', () => {
  const lineOf = (...lines: string[]) =>
    scan(from, ...lines, 'CMD x')
      .text.split('\n')
      .slice(1, -2);

  it('behind RUN alone is a script for the shell, by SHELL where there is one', () => {
    expect(lineOf('RUN <<EOF', 'echo "a"', '', '# kept', '  b $C \\', 'EOF')).toEqual([
      'RUN ["/bin/sh","-c","echo \\"a\\"\\n\\n# kept\\n  b $C \\\\\\n"]',
    ]);
    expect(lineOf('SHELL ["/bin/bash", "-ec"]', "RUN <<-'end'", '\ta', '\tend').at(-1)).toBe(
      'RUN ["/bin/bash","-ec","a\\n"]',
    );
  });

  it("behind a command is the shell's own, with all that there are", () => {
    expect(lineOf('RUN cat <<A 3<<-"B" > /x', 'a', 'A', '\tb', '\tB')).toEqual([
      'RUN ["/bin/sh","-c","cat <<A 3<<-\\"B\\" > /x\\na\\nA\\n\\tb\\nB\\n"]',
    ]);
  });

  it('that names its interpreter is a file that is run and not kept', () => {
    const { text, files } = scan(from, 'RUN <<EOF', '#!/usr/bin/perl', 'print 1;', 'EOF');
    const [[path, content] = []] = files;
    expect(content).toBe('#!/usr/bin/perl\nprint 1;\n');
    expect(text).toContain(
      `RUN --mount=type=bind,from=wherry-here,source=${path},target=/etc/wherry-run ["/etc/wherry-run"]`,
    );
  });

  it('behind COPY is a file of its name, beside others', () => {
    const { text, files } = scan(
      from,
      'COPY --chmod=600 <<a.txt b.txt <<"c" /to/',
      'one',
      'a.txt',
      '$2',
      'c',
    );
    const [a, c] = [...files.keys()];
    expect([...files.values()]).toEqual(['one\n', '$2\n']);
    expect(text.split('\n').slice(1, 3)).toEqual([
      `COPY --chmod=600 --from=wherry-here ${a} ${c} /to/`,
      'COPY --chmod=600 b.txt /to/',
    ]);
    expect([a, c].map(path => path?.split('/').at(-1))).toEqual(['a.txt', 'c']);
  });

  it('cannot hide an instruction from the checks, nor look like one', () => {
    expect(lineOf('RUN <<EOF', 'RUN --mount=type=bind,target=/x ls', 'EOF')).toEqual([
      'RUN ["/bin/sh","-c","RUN --mount=type=bind,target=/x ls\\n"]',
    ]);
    const hidden = 'RUN --mount=type=bind,target=/x ls';
    for (const line of ['RUN echo "<<EOF"', 'RUN cat <<< EOF', 'RUN echo $((1<<2))', 'ENV A=<<EOF'])
      expect(() => scan(from, line, hidden, 'EOF')).toThrow('mounts nothing');
  });
});
