import { describe, expect, it } from 'vitest';
import { parseAppJson } from '../../src/build/app-json.ts';

describe('app.json', () => {
  it('gives the formation: counts, and how web scales by itself', () => {
    const { parts, warnings } = parseAppJson(`{ "formation": {
      "web": { "quantity": 2, "size": "standard-1x", "autoscaling": {
        "min_quantity": 0, "max_quantity": 4, "target": "30", "cooldown_period_seconds": 300, "deep_after": "1h" } },
      "worker": { "quantity": 0 }, "clock": {}
    } }`);
    expect(parts).toEqual({
      formation: {
        web: {
          quantity: 2,
          autoscaling: { min: '0', max: '4', target: '30', idle: '300', 'deep-after': '1h' },
        },
        worker: { quantity: 0 },
      },
    });
    expect(warnings).toEqual([]);
  });

  it('says what it leaves out of what others scale by', () => {
    const { parts, warnings } = parseAppJson(`{ "formation": {
      "web": { "autoscaling": { "min_quantity": 1, "polling_interval_seconds": 10, "triggers": [{ "type": "cpu" }] } },
      "worker": { "max_parallel": 2, "autoscaling": { "min_quantity": 1, "max_quantity": 9 } } } }`);
    expect(parts).toEqual({ formation: { web: { autoscaling: { min: '1' } }, worker: { maxParallel: 2 } } });
    expect(warnings).toEqual([
      'formation.web.autoscaling.polling_interval_seconds and formation.web.autoscaling.triggers left out: web scales by its requests in flight, to the target.',
      'formation.worker.autoscaling is left out: only web has requests to scale by.',
    ]);
  });

  it.each([
    ['{"web":{"quantity":-1}}', 'formation.web.quantity: must not be negative. Correct it.'],
    ['{"web":{"quantity":1.5}}', 'formation.web.quantity: must be a whole number'],
    ['{"web":{"quantity":"2"}}', 'formation.web.quantity: must be a whole number'],
    ['{"web":{"quantity":1e9}}', 'formation.web.quantity: must be at most 100'],
    ['{"web":{"max_parallel":0}}', 'formation.web.max_parallel: must be at least 1'],
    ['{"web":2}', 'formation.web: '],
    ['[]', 'formation: '],
    ['{"../web":{"quantity":1}}', 'formation.../web: Process type "../web" is not valid.'],
    ['{"web":{"autoscaling":{"min":1}}}', 'formation.web.autoscaling: Unrecognized key: "min"'],
    [
      '{"web":{"autoscaling":{"min_quantity":5,"max_quantity":2}}}',
      'formation.web.autoscaling: min=5 is above max=2. Give a min that is not above the max. Correct it.',
    ],
    [
      '{"web":{"autoscaling":{"max_quantity":0}}}',
      'formation.web.autoscaling.max_quantity: max="0" is not a whole number from 1 to 100. Correct it.',
    ],
    ['{"web":{"autoscaling":{"min_quantity":-1}}}', 'formation.web.autoscaling.min_quantity: min="-1"'],
    ['{"web":{"autoscaling":{"idle":"soon"}}}', 'formation.web.autoscaling.idle: "soon" is not a duration'],
    ['{"web":{"autoscaling":{"idle":null}}}', 'formation.web.autoscaling.idle: '],
    ['{"web":{"autoscaling":"yes"}}', 'formation.web.autoscaling: '],
  ])('refuses the formation %j', (formation, message) => {
    expect(() => parseAppJson(`{"formation":${formation}}`)).toThrow(`Invalid app.json: ${message}`);
  });

  it('gives what it wants in the config, and what is to run around a deploy', () => {
    const { parts } = parseAppJson(`{
      "env": { "A": "1", "B": { "description": "x", "value": "2", "required": false, "sync": true },
        "C": { "generator": "secret" }, "D": {} },
      "scripts": { "test": "npm test", "postdeploy": "seed", "release": " migrate ", "dokku": { "predeploy": "assets", "postdeploy": "" } },
    }`);
    expect(parts).toEqual({
      envRules: {
        A: { value: '1', required: true },
        B: { value: '2', required: false, sync: true },
        C: { secret: true, required: true },
        D: { required: true },
      },
      scripts: { predeploy: 'assets', release: 'migrate', first: 'seed' },
    });
  });

  it.each([
    ['{"env":[]}', 'Invalid app.json: env: '],
    ['{"env":{"A":1}}', 'Invalid app.json: env.A: '],
    ['{"env":{"A":{"value":1}}}', 'Invalid app.json: env.A.value: must be text; put numbers in quotes'],
    ['{"env":{"A":{"required":"no"}}}', 'Invalid app.json: env.A.required: '],
    ['{"env":{"A":{"generator":"uuid"}}}', 'Invalid app.json: env.A.generator: must be "secret"'],
    ['{"env":{"A-B":"1"}}', 'Invalid app.json: env: "A-B" is not the name of a variable'],
    ['{"env":{"A":"x\\u0000y"}}', 'Invalid app.json: env.A.value: holds a NUL byte'],
    [`{"env":{"A":"${'x'.repeat(140_000)}"}}`, 'env.A.value: is longer than a variable can be'],
    ['{"scripts":"x"}', 'Invalid app.json: scripts: '],
    ['{"scripts":{"dokku":{"predeploy":["x"]}}}', 'Invalid app.json: scripts.dokku.predeploy: '],
    ['{\n "a": ]', 'Invalid app.json: A value is missing at line 2, column 7. Correct it.'],
    ['[]', 'Invalid app.json: the document:'],
  ])('refuses %j', (text, message) => {
    expect(() => parseAppJson(text)).toThrow(message);
  });
});
