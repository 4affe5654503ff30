// Preloaded: says at the end where the functions of the main script begin, as call sites of errors tell it. Every function of the bundle ends in one of these two.
const sites = new Map();
for (const name of ['sqrt', 'sin']) {
  const real = Math[name];
  let calls = 0;
  Math[name] = (x) => {
    if (calls++ % 997 === 0) record();
    return real(x);
  };
}
function record() {
  const { prepareStackTrace, stackTraceLimit } = Error;
  Error.stackTraceLimit = 20;
  Error.prepareStackTrace = (_, callSites) => callSites;
  for (const site of new Error('where').stack) {
    if (!site.getFileName()?.endsWith(process.argv[1])) continue;
    const one = {
      name: site.getFunctionName() ?? '',
      line: site.getEnclosingLineNumber(),
      column: site.getEnclosingColumnNumber(),
    };
    sites.set(JSON.stringify(one), one);
  }
  Object.assign(Error, { prepareStackTrace, stackTraceLimit });
}
process.on('exit', () => console.log(JSON.stringify([...sites.values()])));
