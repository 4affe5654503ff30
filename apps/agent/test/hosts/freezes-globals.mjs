// Freezes what JavaScript gives, as SES does: constructors, prototypes, namespaces.
for (const name of Object.getOwnPropertyNames(globalThis)) {
  const { value } = Object.getOwnPropertyDescriptor(globalThis, name);
  if (!/^[A-Z]/.test(name) && name !== 'console' && name !== 'performance') continue;
  if (typeof value !== 'function' && typeof value !== 'object') continue;
  Object.freeze(value);
  if (typeof value?.prototype === 'object' && value.prototype !== null && !/^(Event|Abort|Error)/.test(name))
    Object.freeze(value.prototype);
}
