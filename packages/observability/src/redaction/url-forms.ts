/** As programs and browsers write it into a part of a URL: which characters they escape differs. */
export function urlForms(text: string): readonly string[] {
  const wellFormed = text.toWellFormed();
  const escaped = (which: RegExp): string =>
    wellFormed.replace(which, (character) => (character === "'" ? '%27' : encodeURIComponent(character)));
  return [
    encodeURIComponent(wellFormed),
    encodeURI(wellFormed),
    new URLSearchParams([['', wellFormed]]).toString().slice(1),
    escaped(/[^!-~]|["#<>']/gu), // the query of a WHATWG URL
    escaped(/[^!-~]|["#<>?^`{}]/gu), // its path
  ];
}
