/** A small site on a free port: a login with a delayed answer, and pages that misbehave. */
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { selfSigned } from './self-signed.ts';

const LOGIN = `<!doctype html><title>Sign in</title>
<form id="login"><label>Name <input id="name" name="name" value="old"></label>
<label>Password <input id="password" type="password"></label>
<label>Role <select id="role"><option value="u">User</option><option value="a">Admin</option></select></label>
<button id="submit" type="submit" data-kind="primary">Sign in</button></form>
<p id="greeting" hidden></p><p class="many">one</p><p class="many">two</p>
<button id="locked" disabled>Locked</button><a id="next" href="/second">Next</a>
<textarea id="notes">first line\nsecond line</textarea>
<script>
  let clicks = 0;
  document.addEventListener('keydown', (event) => { document.body.dataset.key = event.key; });
  document.querySelector('#login').addEventListener('submit', (event) => {
    event.preventDefault();
    clicks += 1;
    const greeting = document.querySelector('#greeting');
    const role = document.querySelector('#role').value;
    setTimeout(() => {
      greeting.textContent = '  Hello ' + document.querySelector('#name').value + ' (' + role + '), try ' + clicks + '  ';
      greeting.hidden = false;
    }, 50);
  });
</script>`;

/** Signs in: a session cookie that scripts cannot read, and storage of both kinds. */
const ENTER = `<!doctype html><title>Entered</title><h1>Entered</h1><script>
  localStorage.setItem('seat', 'window 4711');
  sessionStorage.setItem('step', 'payment 31337');
</script>`;

function home(cookie: string): string {
  const user = /sid=(\w+)/.exec(cookie)?.[1] ?? 'nobody';
  return `<!doctype html><title>Home</title><h1>Hello ${user}</h1><p id="seat"></p><p id="step"></p><script>
    document.querySelector('#seat').textContent = localStorage.getItem('seat') ?? 'none';
    document.querySelector('#step').textContent = sessionStorage.getItem('step') ?? 'none';
  </script>`;
}

export interface TestSite {
  readonly url: string;
  /** Paths that were asked for, in order. */
  readonly requests: readonly string[];
  stop(): Promise<void>;
}

/** @param scheme `https` comes with a certificate that no browser trusts */
export async function startTestSite(scheme: 'http' | 'https' = 'http'): Promise<TestSite> {
  const requests: string[] = [];
  const answer: RequestListener = (request, response) => {
    const path = request.url ?? '/';
    requests.push(path);
    if (path.startsWith('/never')) return;
    if (path === '/missing') response.statusCode = 404;
    response.setHeader('content-type', 'text/html; charset=utf-8');
    if (path === '/enter') response.setHeader('set-cookie', 'sid=ada271828; HttpOnly; Path=/');
    if (path === '/enter' || path === '/home') {
      response.end(path === '/enter' ? ENTER : home(request.headers.cookie ?? ''));
      return;
    }
    response.end(path === '/second' ? '<!doctype html><title>Second</title><h1>Second page</h1>' : LOGIN);
  };
  const server: Server = scheme === 'https' ? createSecureServer(selfSigned, answer) : createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
