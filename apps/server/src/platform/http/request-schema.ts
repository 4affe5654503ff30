import { Body, Query, type PipeTransform } from '@nestjs/common';
import { ApiBody, ApiQuery } from '@nestjs/swagger';
import { z } from 'zod';
import { toHearthError } from './problem-filter.js';

type JsonSchema = { properties?: Record<string, object>; required?: string[] };

class SchemaPipe implements PipeTransform {
  constructor(readonly schema: z.ZodType) {}

  transform(value: unknown): unknown {
    const parsed = this.schema.safeParse(value ?? {});
    if (!parsed.success) throw toHearthError(parsed.error);
    return parsed.data;
  }
}

/** The query, checked by `schema` (400 `REQUEST_INVALID` otherwise) and described in OpenAPI: `@QueryOf(selectionSchema) selection: Selection`. */
export function QueryOf(schema: z.ZodObject): ParameterDecorator {
  return (target, key, index) => {
    Query(new SchemaPipe(schema))(target, key, index);
    const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
    for (const [name, property] of Object.entries(properties)) {
      decorateMethod(target, key, ApiQuery({ name, required: required.includes(name), schema: property }));
    }
  };
}

/** The JSON body, checked by `schema` (400 `REQUEST_INVALID` otherwise) and described in OpenAPI. */
export function BodyOf(schema: z.ZodObject): ParameterDecorator {
  return (target, key, index) => {
    Body(new SchemaPipe(schema))(target, key, index);
    const { $schema: _, ...jsonSchema } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
    decorateMethod(target, key, ApiBody({ schema: jsonSchema as object }));
  };
}

function decorateMethod(target: object, key: string | symbol | undefined, decorator: MethodDecorator): void {
  const descriptor = key === undefined ? undefined : Object.getOwnPropertyDescriptor(target, key);
  if (key !== undefined && descriptor !== undefined) decorator(target, key, descriptor);
}
