import { expect, test } from 'vitest';
import { applyMigrations, type Migration } from './migrations.ts';

/** A database that notes which texts were run, and keeps the checksums. */
function database() {
  const checksums = new Map<string, string>();
  const applied: string[] = [];
  const target = {
    transaction: (
      work: (run: (text: string, params?: readonly unknown[]) => Promise<Record<string, unknown>[]>) => Promise<void>,
    ) =>
      work(async (text, params = []) => {
        if (text.startsWith('select checksum')) {
          const checksum = checksums.get(String(params[0]));
          return checksum === undefined ? [] : [{ checksum }];
        }
        if (text.includes('insert into casare_migrations.applied')) checksums.set(String(params[0]), String(params[1]));
        if (text.startsWith('--')) applied.push(text);
        return [];
      }),
  };
  return {
    apply: async (...migrations: readonly Migration[]) => {
      applied.length = 0;
      await applyMigrations(target, migrations, () => undefined);
      return [...applied];
    },
  };
}

const migration = (name: string, text = `-- ${name}`): Migration => ({ name, text });

test('applies what is new or changed, and all that comes after it', async () => {
  const { apply } = database();
  const [a, b, c] = [migration('1'), migration('2'), migration('3')];
  expect(await apply(a, c)).toEqual(['-- 1', '-- 3']);
  expect(await apply(a, c)).toEqual([]);
  expect(await apply(a, b, c)).toEqual(['-- 2', '-- 3']);
  expect(await apply(migration('1', '-- 1 changed'), b, c)).toEqual(['-- 1 changed', '-- 2', '-- 3']);
});
