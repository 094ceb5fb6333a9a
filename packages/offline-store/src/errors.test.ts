import { expect, it } from 'vitest';
import { CorruptRecordError, classifyStoreError, StoreError, StoreOwnedError } from './errors.ts';

it('classifies what this package throws, by code, and nothing else', () => {
  expect(classifyStoreError(new StoreError('STORE_BUSY', 'm'))).toEqual({
    category: 'transient',
    class: 'S',
    code: 'STORE_BUSY',
    ambiguous: false,
  });
  expect(classifyStoreError(new StoreError('STORE_FULL', 'm'))).toMatchObject({ category: 'permanent', class: 'O' });
  expect(classifyStoreError(new StoreError('STORE_IO', 'm'))).toMatchObject({ class: 'O', ambiguous: true });
  expect(classifyStoreError(new CorruptRecordError('j', 1, 'd'))).toMatchObject({ class: 'O', code: 'STORE_CORRUPT' });
  expect(classifyStoreError({ code: 'JOB_FINAL' })).toMatchObject({ category: 'permanent', class: 'P' });
  for (const other of [
    new Error('x'),
    { code: 'ECONNREFUSED' },
    { code: 'toString' },
    { code: 7 },
    null,
    'STORE_BUSY',
  ]) {
    expect(classifyStoreError(other)).toBeNull();
  }
});

it('says that somebody holds the store even when it cannot say who', () => {
  expect(new StoreOwnedError('/s.db', null)).toMatchObject({
    holder: null,
    category: 'permanent',
    message: 'The store /s.db is held by another process. One store belongs to one robot process at a time.',
  });
});
