import { chmodSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { keepFromOthers } from './store-files.ts';

it.skipIf(process.platform === 'win32')(
  'a file is kept from others, also behind a link; what a link leads to besides is left as it is',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'store-files-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const [file, socket, link] = [join(folder, 'file'), join(folder, 'socket'), join(folder, 'link')];
    const mode = (path: string): number => statSync(path).mode & 0o777;
    writeFileSync(file, '');
    chmodSync(file, 0o666);
    symlinkSync(file, link);
    keepFromOthers(link);
    expect(mode(file)).toBe(0o600);

    const server = createServer();
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    onTestFinished(() => void server.close());
    chmodSync(socket, 0o666);
    rmSync(link);
    symlinkSync(socket, link);
    keepFromOthers(link);
    expect(mode(socket)).toBe(0o666);
  },
);
