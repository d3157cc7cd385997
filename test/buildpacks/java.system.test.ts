import { appendFileSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAppName } from '../../src/domain/names.ts';
import { type BuildBench, fetchSoon, fixtures, openBench } from '../build/support/bench.ts';

let bench: BuildBench;

beforeAll(async () => {
  bench = await openBench();
});
afterAll(async () => {
  await bench.close();
});

const app = join(fixtures, 'java');
const name = (text: string) => parseAppName(text);

/** The wrapper's stand-in as Gradle's. */
const asGradle = (dir: string) => {
  renameSync(join(dir, 'mvnw'), join(dir, 'gradlew'));
  rmSync(join(dir, 'pom.xml'));
  writeFileSync(join(dir, 'build.gradle'), "plugins { id 'java' }\n");
  replace(join(dir, 'gradlew'), 'set -e', 'set -e\nrepository=$GRADLE_USER_HOME\necho "tasks $*"');
  replace(join(dir, 'gradlew'), /target\//g, 'build/libs/');
};

describe('a Java app whose Maven or Gradle wrapper is a script of the test, as no registry is within reach', () => {
  it('is built by the Maven wrapper and runs its jar with a heap that fits its memory', async () => {
    const { image, output } = await bench.build(app, { app: name('maven') });
    expect(output.join('\n')).toContain('Running ./mvnw package');
    expect(output.join('\n')).toContain('fetched plugin');
    expect(output.join('\n')).toContain('Found target/sample-1.0.jar');
    expect(image.layers.some(layer => bench.layers.info(layer).origin.includes('jdk-headless'))).toBe(false);
    await bench.run(
      image,
      'web',
      async base => {
        const text = await (await fetchSoon(`${base}/sea`)).text();
        expect(text).toMatch(/^Hello from Java 17 at \/sea, heap \d+ MB$/);
        const heap = Number(/heap (\d+)/.exec(text)?.[1]);
        expect(heap).toBeGreaterThan(300);
        expect(heap).toBeLessThanOrEqual(360);
      },
      { MEMORY_AVAILABLE: '512' },
    );
  });

  it('keeps what Maven downloaded between builds', async () => {
    await bench.build(app, { app: name('maven') });
    const { image, output } = await bench.build(app, {
      app: name('maven'),
      change: dir => replace(join(dir, 'src/main/java/Main.java'), 'Hello', 'Ahoy'),
    });
    expect(output.join('\n')).toContain('plugin is in the repository');
    await bench.run(image, 'web', async base => {
      expect(await (await fetchSoon(base)).text()).toMatch(/^Ahoy from Java 17/);
    });
  });

  it('is built by the Gradle wrapper', async () => {
    const { image, output } = await bench.build(app, { app: name('gradle'), change: asGradle });
    expect(output.join('\n')).toContain('tasks --no-daemon --console=plain assemble');
    await bench.run(image, 'web', async base => {
      expect(await (await fetchSoon(base)).text()).toMatch(/^Hello from Java 17/);
    });
  });
});

describe('a Java app that cannot be built', () => {
  const build = (change: (dir: string) => void) => bench.build(app, { app: name('wrong'), change });

  it('is told which version can be had when another is asked for', async () => {
    const file = 'system.properties';
    await expect(build(dir => writeFileSync(join(dir, file), 'java.runtime.version=21\n'))).rejects.toThrow(
      'Java version "21" in system.properties cannot be had. Set it to 17, which is the one that can.',
    );
  });

  it('is told that the Gradle wrapper is missing', async () => {
    await expect(
      build(dir => {
        asGradle(dir);
        rmSync(join(dir, 'gradlew'));
      }),
    ).rejects.toThrow('The Gradle wrapper is missing. Run gradle wrapper and commit gradlew');
  });

  it('is told when the build fails, and when it gives no jar that runs', async () => {
    await expect(
      build(dir => appendFileSync(join(dir, 'src/main/java/Main.java'), 'nonsense')),
    ).rejects.toThrow('./mvnw package failed. Its output is above.');
    await expect(build(dir => replace(join(dir, 'mvnw'), /--main-class Main/g, ''))).rejects.toThrow(
      'The build gave no jar with a Main-Class, so there is nothing to run.',
    );
  });
});

function replace(file: string, from: string | RegExp, to: string): void {
  writeFileSync(file, readFileSync(file, 'utf8').replace(from, to));
}
