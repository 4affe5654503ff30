// A loader of the host's: whatever it imports as `virtual:answer` is made by a hook.
import { register } from 'node:module';

const hooks = `
export async function resolve(specifier, context, next) {
  return specifier === 'virtual:answer' ? { url: 'virtual:answer', shortCircuit: true } : next(specifier, context);
}
export async function load(url, context, next) {
  return url === 'virtual:answer' ? { format: 'module', source: 'export default 42', shortCircuit: true } : next(url, context);
}`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
