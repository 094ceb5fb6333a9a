import { expect, it } from 'vitest';
import { ConnectionRecord } from './connection-record.ts';

it('a connection is restored only after a loss', () => {
  const told: string[] = [];
  const tell = (what: string) => (): { readonly ok: true; readonly seq: number } => ({
    ok: true,
    seq: told.push(what),
  });
  const record = new ConnectionRecord({
    connectionEstablished: tell('established'),
    connectionLost: tell('lost'),
    connectionRestored: tell('restored'),
  });
  const lost = { code: 'NETWORK', message: 'gone' };
  record.connected();
  for (const error of [lost, lost, null]) record.disconnected(error);
  record.connected();
  record.disconnected(null);
  record.connected();
  expect(told).toEqual(['established', 'lost', 'lost', 'restored', 'established']);
});
