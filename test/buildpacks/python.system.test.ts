import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAppName } from '../../src/domain/names.ts';
import { type BuildBench, fetchSoon, fixtures, openBench } from '../build/support/bench.ts';
import { type Wheel, writeWheel } from './support/wheel.ts';

let bench: BuildBench;

beforeAll(async () => {
  bench = await openBench();
});
afterAll(async () => {
  await bench.close();
});

const app = (name: string) => parseAppName(name);
const greeter = join(fixtures, 'python');
const django = join(fixtures, 'python-django');

const greeting = (version: string): Wheel => ({
  name: 'greeting',
  version,
  files: {
    'greeting.py': `from manners import polite\n\ndef greet(name):\n    return polite(f'Hello from {name} ${version}')\n`,
  },
  requires: ['manners>=1'],
});
const manners: Wheel = {
  name: 'manners',
  version: '1.5',
  files: { 'manners.py': "def polite(text):\n    return text + ', please'\n" },
};
const stock = (dir: string) =>
  [greeting('1.0'), greeting('2.0'), manners].map(wheel => writeWheel(join(dir, 'wheels'), wheel).sha256);

describe('a Python app with requirements.txt (wheels made by hand; the package index is out of reach of tests)', () => {
  it('runs in a virtual environment with what it requires, without pip in its image', async () => {
    const { image, output } = await bench.build(greeter, { app: app('greeter'), change: stock });
    expect(output.join('\n')).toContain('Successfully installed greeting-1.0 manners-1.5');
    expect(image.processes).toMatchObject([{ type: 'web', command: ['python', 'main.py'] }]);
    await bench.run(image, 'web', async base => {
      expect(await (await fetchSoon(base)).text()).toBe('Hello from Python 1.0, please, unbuffered 1\n');
    });
    const files = image.layers.map(layer => bench.layers.layerPath(layer));
    expect(files.some(dir => existsSync(join(dir, 'usr/share/python-wheels')))).toBe(false);
  });

  it('installs nothing again when only code changed, and changes one layer', async () => {
    const before = await bench.build(greeter, { app: app('greeter'), change: stock });
    const after = await bench.build(greeter, {
      app: app('greeter'),
      change: dir => {
        stock(dir);
        edit(dir, 'main.py', text => text.replace("'Python'", "'Snake'"));
      },
    });
    expect(after.output.join('\n')).toContain(
      'Reusing dependencies: requirements.txt and Python are unchanged',
    );
    expect(after.output.join('\n')).not.toContain('Installing');
    expect(after.image.layers.filter(layer => !before.image.layers.includes(layer))).toHaveLength(1);
    await bench.run(after.image, 'web', async base => {
      expect(await (await fetchSoon(base)).text()).toContain('Hello from Snake 1.0');
    });
  });

  it('gives another app the same image for the same tree', async () => {
    const first = await bench.build(greeter, { app: app('greeter'), change: stock });
    const other = await bench.build(greeter, { app: app('twin'), change: stock });
    expect(other.output.join('\n')).toContain('Installing dependencies');
    expect(other.image.id).toBe(first.image.id);
  });

  it('installs again when requirements.txt changed', async () => {
    const { image, output } = await bench.build(greeter, {
      app: app('greeter'),
      change: dir => {
        stock(dir);
        edit(dir, 'requirements.txt', text => text.replace('==1.0', '==2.0'));
      },
    });
    expect(output.join('\n')).toContain('Successfully installed greeting-2.0');
    await bench.run(image, 'web', async base => {
      expect(await (await fetchSoon(base)).text()).toContain('2.0, please');
    });
  });

  it('starts no container for a code change when all that it installs is named file by file', async () => {
    const named = (dir: string) => {
      stock(dir);
      const names = ['greeting-1.0', 'manners-1.5'].map(name => `./wheels/${name}-py3-none-any.whl\n`);
      writeFileSync(join(dir, 'requirements.txt'), `--no-index\n${names.join('')}`);
    };
    await bench.build(greeter, { app: app('named'), change: named });
    const code = await bench.build(greeter, {
      app: app('named'),
      change: dir => {
        named(dir);
        appendFileSync(join(dir, 'main.py'), '\n');
      },
    });
    expect(code.sandboxes).toBe(0);
    const wheel = await bench.build(greeter, {
      app: app('named'),
      change: dir => {
        named(dir);
        const files = { 'manners.py': "def polite(text):\n    return text + '!'\n" };
        writeWheel(join(dir, 'wheels'), { ...manners, files });
      },
    });
    expect(wheel.output.join('\n')).toContain('Building again: wheels/manners-1.5-py3-none-any.whl changed');
    await bench.run(wheel.image, 'web', async base => {
      expect(await (await fetchSoon(base)).text()).toContain('1.0!');
    });
  });

  it('names a requirement that cannot be had', async () => {
    const build = bench.build(greeter, {
      app: app('wanting'),
      change: dir => {
        stock(dir);
        appendFileSync(join(dir, 'requirements.txt'), 'flask>=2\n');
      },
    });
    await expect(build).rejects.toThrow(
      'requirements.txt asks for flask>=2, which the package index does not offer for Python 3.11.',
    );
  });
});

describe('the version of Python', () => {
  const build = async (name: string, text: string) =>
    await bench.build(greeter, {
      app: app('version'),
      change: dir => {
        rmSync(join(dir, 'requirements.txt'));
        writeFileSync(join(dir, name), text);
      },
    });

  it.each([
    ['.python-version', '3.12\n', '"3.12" of .python-version'],
    ['runtime.txt', 'python-3.8.10\n', '"3.8.10" of runtime.txt'],
    ['.tool-versions', 'nodejs 20.1.0\npython 3.9.1\n', '"3.9.1" of .tool-versions'],
    ['pyproject.toml', '[project]\nname = "x"\nrequires-python = ">=3.13"\n', '">=3.13" of pyproject.toml'],
    [
      'pyproject.toml',
      '[tool.poetry]\n[tool.poetry.dependencies]\npython = "^2.7 || ~3.10"\n',
      '"^2.7 || ~3.10"',
    ],
  ])('in %s is refused when it cannot be had: %j', async (name, text, words) => {
    await expect(build(name, text)).rejects.toThrow(
      new RegExp(
        `^Python version ${literally(words)}.* cannot be had: this host has 3\\.11\\.\\d+\\. Ask for 3\\.11 there\\.$`,
      ),
    );
  });

  it.each([
    ['.python-version', '# ours\n3.11\n'],
    ['runtime.txt', 'python-3.11.4'],
    ['pyproject.toml', '[project]\nname = "x"\nrequires-python = ">=3.9,<4"\n'],
  ])('in %s is taken when Debian has it: %j', async (name, text) => {
    const { output } = await build(name, text);
    expect(output.join('\n')).toMatch(/Python 3\.11\.\d+/);
  });
});

describe('lock files (read without the tools that made them; the index is a folder of wheels)', () => {
  const config = { PIP_NO_INDEX: '1', PIP_FIND_LINKS: '/workspace/wheels' };
  const build = async (write: (dir: string, hashes: readonly string[]) => void) =>
    await bench.build(greeter, {
      app: app('locked'),
      config,
      change: dir => {
        const hashes = stock(dir).map(hash => `sha256:${hash}`);
        rmSync(join(dir, 'requirements.txt'));
        write(dir, hashes);
      },
    });
  const answers = async (locked: ReturnType<typeof build>) =>
    await bench.run((await locked).image, 'web', async base => {
      expect(await (await fetchSoon(base)).text()).toContain('Hello from Python 1.0, please');
    });

  const uvLock = ([old, , polite]: readonly string[], name = 'manners') => `
version = 1
[[package]]
name = "ship"
version = "0.1.0"
source = { virtual = "." }
dependencies = [{ name = "greeting" }]
[package.dev-dependencies]
dev = [{ name = "never" }]
[[package]]
name = "greeting"
version = "1.0"
source = { registry = "wheels" }
dependencies = [{ name = "${name}" }, { name = "never", marker = "sys_platform == 'win32'" }]
wheels = [{ path = "greeting-1.0-py3-none-any.whl", hash = "${old}" }]
[[package]]
name = "manners"
version = "1.5"
source = { path = "wheels/manners-1.5-py3-none-any.whl" }
wheels = [{ filename = "manners-1.5-py3-none-any.whl", hash = "${polite}" }]
[[package]]
name = "never"
version = "1.0"
source = { registry = "wheels" }
`;
  const uvProject = '[project]\nname = "ship"\nversion = "0.1.0"\ndependencies = ["greeting"]\n';

  it('of uv install what runs in production, by hash', async () => {
    const locked = build((dir, hashes) => {
      writeFileSync(join(dir, 'pyproject.toml'), uvProject);
      writeFileSync(join(dir, 'uv.lock'), uvLock(hashes));
    });
    expect((await locked).output.join('\n')).toContain('Installing dependencies (uv.lock)');
    await answers(locked);
  });

  it('whose hash is another are refused', async () => {
    const locked = build((dir, hashes) => {
      writeFileSync(join(dir, 'pyproject.toml'), uvProject);
      writeFileSync(join(dir, 'uv.lock'), uvLock(hashes.toReversed()));
    });
    await expect(locked).rejects.toThrow('A download is not the one that uv.lock was made with.');
  });

  const poetryProject = `
[tool.poetry]
name = "ship"
[tool.poetry.dependencies]
python = "^3.9"
greeting = "^1.0"
[tool.poetry.group.dev.dependencies]
never = "*"
`;
  const poetryLock = ([old, , polite]: readonly string[]) => `
[[package]]
name = "greeting"
version = "1.0"
optional = false
python-versions = ">=3.8,<4.0"
files = [{ file = "greeting-1.0-py3-none-any.whl", hash = "${old}" }]
[package.dependencies]
manners = [{ version = ">=1", markers = "python_version >= '3.8'" }, { version = "<1", markers = "python_version < '3.8'" }]
never = { version = "*", optional = true, markers = "extra == 'all'" }
[package.extras]
all = ["never"]
[[package]]
name = "manners"
version = "1.5"
optional = false
python-versions = "*"
files = [{ file = "manners-1.5-py3-none-any.whl", hash = "${polite}" }]
[package.source]
type = "file"
url = "wheels/manners-1.5-py3-none-any.whl"
`;

  it('of poetry do the same', async () => {
    await answers(
      build((dir, hashes) => {
        writeFileSync(join(dir, 'pyproject.toml'), poetryProject);
        writeFileSync(join(dir, 'poetry.lock'), poetryLock(hashes));
      }),
    );
  });

  it('that have not what the manifest asks for are refused with the remedy', async () => {
    const locked = build((dir, hashes) => {
      writeFileSync(
        join(dir, 'pyproject.toml'),
        poetryProject.replace('greeting =', 'requests = "*"\ngreeting ='),
      );
      writeFileSync(join(dir, 'poetry.lock'), poetryLock(hashes));
    });
    await expect(locked).rejects.toThrow(
      'poetry.lock is out of step with pyproject.toml: requests is missing from it. Run poetry lock and commit poetry.lock.',
    );
  });

  const pdmLock = ([old, , polite]: readonly string[], name = 'manners') => `
[metadata]
groups = ["default", "dev"]
lock_version = "4.5.0"
[[package]]
name = "greeting"
version = "1.0"
requires_python = ">=3.8"
groups = ["default"]
dependencies = ["${name}>=1"]
files = [{ file = "greeting-1.0-py3-none-any.whl", hash = "${old}" }]
[[package]]
name = "${name}"
version = "1.5"
groups = ["default"]
files = [{ file = "manners-1.5-py3-none-any.whl", hash = "${polite}" }]
[[package]]
name = "never"
version = "1.0"
groups = ["dev"]
[[package]]
name = "never"
version = "1.1"
groups = ["default"]
marker = "sys_platform == 'win32'"
`;
  const pylock = ([old, , polite]: readonly string[], version = '1.0') => `
lock-version = "${version}"
requires-python = ">=3.9"
created-by = "test"
default-groups = ["serving"]
[[packages]]
name = "greeting"
version = "1.0"
wheels = [{ name = "greeting-1.0-py3-none-any.whl", hashes = { sha256 = "${old?.slice(7)}" } }]
[[packages]]
name = "manners"
version = "1.5"
marker = "'serving' in dependency_groups and 'fancy' not in extras"
wheels = [{ name = "manners-1.5-py3-none-any.whl", hashes = { sha256 = "${polite?.slice(7)}" } }]
[[packages]]
name = "never"
version = "1.0"
marker = "'dev' in dependency_groups or 'fancy' in extras"
`;

  it.each([
    ['pdm.lock', pdmLock],
    ['pylock.toml', pylock],
  ])('called %s do the same', async (name, lock) => {
    const locked = build((dir, hashes) => {
      writeFileSync(join(dir, 'pyproject.toml'), uvProject);
      writeFileSync(join(dir, name), lock(hashes));
    });
    expect((await locked).output.join('\n')).toMatch(
      new RegExp(`(Installing|Reusing) dependencies.*${name}`),
    );
    await answers(locked);
  });

  it.each([
    ['pdm.lock', (hashes: readonly string[]) => pdmLock(hashes).replaceAll('"greeting"', '"other"')],
    ['pylock.toml', (hashes: readonly string[]) => pylock(hashes).replaceAll('"greeting"', '"other"')],
  ])('called %s are refused when they lack what pyproject.toml names', async (name, lock) => {
    const locked = build((dir, hashes) => {
      writeFileSync(join(dir, 'pyproject.toml'), uvProject);
      writeFileSync(join(dir, name), lock(hashes));
    });
    await expect(locked).rejects.toThrow(
      `${name} is out of step with pyproject.toml: greeting is missing from it.`,
    );
  });

  it('of a form that is not known yet are refused', async () => {
    const locked = build((dir, hashes) => writeFileSync(join(dir, 'pylock.toml'), pylock(hashes, '2.0')));
    await expect(locked).rejects.toThrow('pylock.toml has no lock-version 1.x, which is what can be read.');
  });

  it('of pipenv do the same', async () => {
    await answers(
      build((dir, [old, , polite]) => {
        writeFileSync(join(dir, 'Pipfile'), '[packages]\ngreeting = "*"\n[dev-packages]\nnever = "*"\n');
        const lock = {
          _meta: { sources: [{ name: 'pypi' }] },
          default: {
            greeting: { version: '==1.0', hashes: [old], markers: "python_version >= '3.7'" },
            manners: { version: '==1.5', hashes: [polite] },
            never: { version: '==1.0', markers: "sys_platform == 'win32'" },
          },
          develop: { never: { version: '==1.0' } },
        };
        writeFileSync(join(dir, 'Pipfile.lock'), JSON.stringify(lock));
      }),
    );
  });

  it('that do not parse, or hold something else, are refused with the place or the reason', async () => {
    const locked = build(dir => writeFileSync(join(dir, 'uv.lock'), '[[package]\n'));
    await expect(locked).rejects.toThrow(/^uv\.lock does not parse: .*line 1.* Correct it\.$/);
    const odd = build(dir => writeFileSync(join(dir, 'poetry.lock'), 'package = [{}]\n'));
    await expect(odd).rejects.toThrow(
      "poetry.lock has another form than its tool writes (KeyError: 'name').",
    );
  });
});

describe('a Python app with a package.json', () => {
  it('has its assets built with Node first, and is served by Python', async () => {
    const { image } = await bench.build(greeter, {
      app: app('assets'),
      change: dir => {
        stock(dir);
        const build = `node -e "fs.writeFileSync('built.txt', 'assets')"`;
        writeFileSync(join(dir, 'package.json'), JSON.stringify({ scripts: { build, start: 'node no.js' } }));
        edit(dir, 'main.py', text => text.replace("'Python'", "open('built.txt').read()"));
      },
    });
    await bench.run(image, 'web', async base => {
      expect(await (await fetchSoon(base)).text()).toContain('Hello from assets 1.0');
    });
  });
});

describe('a project with a build of its own', () => {
  it('is installed in place by setuptools, which no index has to give', async () => {
    const { image, output } = await bench.build(greeter, {
      app: app('project'),
      config: { PIP_NO_INDEX: '1', PIP_FIND_LINKS: '/workspace/wheels' },
      change: dir => {
        stock(dir);
        rmSync(join(dir, 'requirements.txt'));
        const text =
          "from setuptools import setup\nsetup(name='ship', version='1', py_modules=[], install_requires=['greeting<2'])\n";
        writeFileSync(join(dir, 'setup.py'), text);
      },
    });
    expect(output.join('\n')).toContain('greeting-1.0');
    await bench.run(image, 'web', async base => {
      expect(await (await fetchSoon(base)).text()).toContain('Hello from Python 1.0');
    });
  });
});

describe('a Django app (Django and gunicorn are stand-ins made by the test)', () => {
  const servers = (dir: string) => {
    writeWheel(join(dir, 'wheels'), {
      name: 'gunicorn',
      version: '21.2',
      files: { 'gunicorn.py': gunicorn },
      programs: { gunicorn: 'gunicorn:main' },
    });
    writeWheel(join(dir, 'wheels'), {
      name: 'django',
      version: '4.2',
      files: {
        'django/__init__.py': '',
        'django/core/__init__.py': '',
        'django/core/management.py': management,
      },
    });
  };

  it('has its static files collected with its config, and is served by gunicorn', async () => {
    const { image, output } = await bench.build(django, {
      app: app('django'),
      config: { SECRET_KEY: 'h1 {}' },
      change: servers,
    });
    expect(output.join('\n')).toContain('Collecting static files');
    expect(image.processes).toMatchObject([{ type: 'web', command: ['gunicorn', 'ship.wsgi:application'] }]);
    await bench.run(image, 'web', async base => {
      expect(await (await fetchSoon(base)).text()).toBe('Hello from wsgi with h1 {}');
    });
  });

  it('says how to leave that out when it fails', async () => {
    await expect(bench.build(django, { app: app('failing'), change: servers })).rejects.toThrow(
      'or turn it off: wherry config:set DISABLE_COLLECTSTATIC=1',
    );
    const { image } = await bench.build(django, {
      app: app('failing'),
      config: { DISABLE_COLLECTSTATIC: '1' },
      change: servers,
    });
    expect(image.processes).toHaveLength(1);
  });
});

const gunicorn = `
import importlib, os, sys
from wsgiref.simple_server import make_server

def main():
    sys.path.insert(0, os.getcwd())
    module, name = sys.argv[-1].split(':')
    make_server('', int(os.environ['PORT']), getattr(importlib.import_module(module), name)).serve_forever()
`;
const management = `
import importlib, os

def execute_from_command_line(argv):
    settings = importlib.import_module(os.environ['DJANGO_SETTINGS_MODULE'])
    assert argv[1:] == ['collectstatic', '--noinput']
    os.makedirs(settings.STATIC_ROOT)
    with open(settings.STATIC_ROOT + '/style.css', 'w') as file:
        file.write(settings.SECRET_KEY)
`;

function literally(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

function edit(dir: string, name: string, change: (text: string) => string): void {
  const file = join(dir, name);
  writeFileSync(file, change(readFileSync(file, 'utf8')));
}
