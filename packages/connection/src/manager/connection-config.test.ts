import { expect, test } from 'vitest';
import { type ConnectionConfig, connectionConfig, DEFAULT_CONNECTION_CONFIG } from './connection-config.ts';

const names = Object.keys(DEFAULT_CONNECTION_CONFIG) as (keyof ConnectionConfig)[];

test.each(names)('%s has its default where it is there but undefined', (name) => {
  expect(connectionConfig({ [name]: undefined })[name]).toBe(DEFAULT_CONNECTION_CONFIG[name]);
});

test.each(names.filter((name) => name !== 'schema' && name !== 'jitter'))('%s must be a number', (name) => {
  expect(() => connectionConfig({ [name]: '1000' })).toThrow(name);
  expect(() => connectionConfig({ [name]: Number.NaN })).toThrow(name);
});
