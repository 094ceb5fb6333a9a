import { describe, expect, it } from 'vitest';
import { completeUrl, showUrl } from './page-url.ts';

describe('a URL', () => {
  it.each([
    ['example.com/a', 'https://example.com/a'],
    [' localhost:8080 ', 'https://localhost:8080'],
    ['http://example.com', 'http://example.com'],
    ['file:///tmp/a.html', 'file:///tmp/a.html'],
    ['about:blank', 'about:blank'],
    ['data:text/html,<p>', 'data:text/html,<p>'],
  ])('%s is opened as %s', (given, expected) => {
    expect(completeUrl(given)).toBe(expected);
  });

  it.each(['', 'http://', 'not a url', 'JavaScript:alert(1)'])('"%s" is refused', (given) => {
    expect(() => completeUrl(given)).toThrow();
  });

  it('is shown without what may be secret in it', () => {
    expect(showUrl('https://ada:pw@example.com/a?token=1#x')).toBe('https://example.com/a…');
    expect(showUrl('https://example.com/a')).toBe('https://example.com/a');
    expect(showUrl('data:text/html,secret')).toBe('data:…');
    expect(showUrl('nonsense?token=1')).toBe('nonsense');
  });
});
