type Method = (this: unknown, ...args: never[]) => unknown;

/**
 * A decorator of methods, of either kind: ECMAScript's, which gets the method and gives the new one, and TypeScript's `experimentalDecorators`, which NestJS needs
 * and which changes a property.
 */
export interface MethodDecoratorOfEitherKind {
  <Fn extends (...args: never[]) => unknown>(method: Fn, context: ClassMethodDecoratorContext): Fn;
  (target: object, key: string | symbol, descriptor: PropertyDescriptor): void;
}

/** @param decorate - Gives the method that takes the place of `method`. @param methodName - As it is written in the class */
export function methodDecorator(
  decorate: <Fn extends Method>(method: Fn, methodName: string) => Fn,
): MethodDecoratorOfEitherKind {
  function decorator<Fn extends (...args: never[]) => unknown>(method: Fn, context: ClassMethodDecoratorContext): Fn;
  function decorator(target: object, key: string | symbol, descriptor: PropertyDescriptor): void;
  function decorator(
    target: object,
    keyOrContext: string | symbol | ClassMethodDecoratorContext,
    descriptor?: PropertyDescriptor,
  ): unknown {
    if (typeof keyOrContext === 'object') return isMethod(target) ? decorate(target, String(keyOrContext.name)) : target;
    if (descriptor !== undefined && isMethod(descriptor.value))
      descriptor.value = decorate(descriptor.value, String(keyOrContext));
    return undefined;
  }
  return decorator;
}

/** `Class.method`, by the class of the object that it is called on; of a static method by the class itself. */
export function nameOfCall(self: unknown, methodName: string): string {
  const className = nameOfClass(self);
  return className === '' ? methodName : `${className}.${methodName}`;
}

function nameOfClass(self: unknown): string {
  if (typeof self === 'function') return self.name;
  try {
    const name: unknown = Object(self).constructor?.name;
    return typeof name === 'string' && name !== 'Object' ? name : '';
  } catch {
    return ''; // an accessor of the host's
  }
}

function isMethod(value: unknown): value is Method {
  return typeof value === 'function';
}
