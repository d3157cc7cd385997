import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { answersStore } from '../../src/store/answers.ts';
import { migrations } from '../../src/store/migrations.ts';
import { createSeal } from '../../src/store/seal.ts';
import { addSealFunctions } from '../../src/store/sealed-values.ts';
import { Database } from '../../src/system/sqlite.ts';

describe('answers', () => {
  it('lie sealed in the database', () => {
    const db = new Database(':memory:');
    const seal = createSeal(randomBytes(32));
    addSealFunctions(db, seal);
    for (const migration of migrations) db.exec(migration);
    const answers = answersStore(db, seal);
    const kept = { request: 'hash', state: { outcome: '"a secret"' } };
    answers.put({ actor: 'ann', key: 'k' }, kept, new Date(0));
    expect(answers.find({ actor: 'ann', key: 'k' })).toEqual(kept);
    expect(answers.find({ actor: 'ben', key: 'k' })).toBeUndefined();
    const [row] = db.prepare<[], { sealed: Buffer }>('SELECT sealed FROM api_answers').all();
    expect(row?.sealed.length).toBeGreaterThan(20);
    expect(row?.sealed.toString('latin1')).not.toMatch(/secret|hash/);
    db.close();
  });
});
