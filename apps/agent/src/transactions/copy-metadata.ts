/** What `reflect-metadata` adds to `Reflect`, where the host has loaded it. */
interface ReflectMetadata {
  getOwnMetadataKeys(target: object): unknown[];
  getOwnMetadata(key: unknown, target: object): unknown;
  defineMetadata(key: unknown, value: unknown, target: object): void;
}

/** Gives our function what decorators have said of the host's: NestJS finds by it the routes and messages that a method is for. Never throws. */
export function copyMetadata(theirs: object, ours: object): void {
  const reflect: object = Reflect;
  if (!hasMetadata(reflect)) return;
  try {
    for (const key of reflect.getOwnMetadataKeys(theirs)) reflect.defineMetadata(key, reflect.getOwnMetadata(key, theirs), ours);
  } catch {
    // Another thing of that name: then nothing here knows what it means.
  }
}

function hasMetadata(reflect: object): reflect is ReflectMetadata {
  return 'getOwnMetadataKeys' in reflect && 'getOwnMetadata' in reflect && 'defineMetadata' in reflect;
}
