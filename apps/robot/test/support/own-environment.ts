/** Runs before every test file: a robot of the person who runs the tests must not be the one that is tested. */
const settings = /^(?:CASARE|SUPABASE)_(?!DOC_IMAGES$)/;
for (const name of Object.keys(process.env)) if (settings.test(name)) delete process.env[name];
