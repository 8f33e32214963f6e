/**
 * JSON Schema by ajv, made safe for content of strangers: patterns run on RE2, `uniqueItems` takes linear time, and a schema
 * whose alternatives refer to each other ends after a bounded number of steps instead of doubling with each level.
 */
import { _, Ajv, Name, type ErrorObject, type KeywordCxt, type Options as AjvOptions, type ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { RE2JS } from 're2js';
import type { Json } from '../../domain/finding.js';
import { stepsOf } from '../json-pointer.js';
import type { JsonObject } from '../../domain/request.js';
import { patternProblem } from '../linear-pattern.js';

/** One thing that is wrong: the rule of the schema, what it says, and where in the value. */
export interface SchemaProblem {
  /** `type`, `required`, `maxLength`… */
  readonly keyword: string;
  /** Names fields and values of the schema, never of the content. */
  readonly message: string;
  /** The way to the value, one name or index a step. */
  readonly path: readonly string[];
}

export type SchemaCheck = (value: Json) => readonly SchemaProblem[];

/** A step is about a tenth of a microsecond; with these a check stays near the 50 ms that the event loop may be held up. */
const MAX_STEPS = 500_000;
/** Beside one for each error found so far, which the library copies at every reference. */
const STEPS_OF_REFERENCE = 2;
/** Of a pattern's attempt, beside one for each character. */
const STEPS_OF_PATTERN = 10;

/** Thrown when a check would take too long. */
export class TooManySteps extends Error {
  override readonly name = 'TooManySteps';
}

/** What a check has left; checks are synchronous, so that one at a time uses it. */
interface Meter {
  left: number;
}

function spend(meter: Meter, steps: number): void {
  meter.left -= steps;
  if (meter.left < 0) throw new TooManySteps('too many steps');
}

/** What the library calls its count in the code that it makes. */
const ERRORS_SO_FAR = new Name('errors');

/** The keyword that is put beside each reference: counts it. */
const COUNTED = 'x-tribunal-counted';

/** Keywords whose value is data, and those whose value is a map of schemas by names of the author. */
const DATA = new Set(['enum', 'const', 'default', 'examples']);
const MAPS = new Set(['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas']);

function counted(schema: Json): Json {
  if (Array.isArray(schema)) return schema.map((entry: Json) => counted(entry));
  if (typeof schema !== 'object' || schema === null) return schema;
  const entries = Object.entries(schema).map(([name, value]): [string, Json] => {
    if (DATA.has(name)) return [name, value];
    if (MAPS.has(name) && typeof value === 'object' && value !== null && !Array.isArray(value))
      return [name, Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, counted(inner)]))];
    return [name, counted(value)];
  });
  const refers = '$ref' in schema || '$dynamicRef' in schema;
  return { ...Object.fromEntries(entries), ...(refers && { [COUNTED]: true }) };
}

function settings(meter: Meter, allErrors: boolean): AjvOptions {
  const regExp = Object.assign(
    (pattern: string) => {
      const translated = RE2JS.translateRegExp(pattern);
      const problem = patternProblem(translated);
      // An empty match is fine here: a schema may allow anything.
      if (problem?.startsWith('is not')) throw new Error(`${JSON.stringify(pattern)} ${problem}`);
      const compiled = RE2JS.compile(translated);
      return {
        // The library takes patterns with one text for the same one.
        toString: () => `RE2 ${pattern}`,
        test(text: string) {
          spend(meter, STEPS_OF_PATTERN + text.length);
          return compiled.test(text);
        },
      };
    },
    { code: 'regExp' },
  );
  return { allErrors, strict: true, strictTypes: false, strictRequired: false, strictTuples: false, logger: false, code: { regExp } };
}

function makeValidator(schema: JsonObject | boolean, allErrors: boolean, meter: Meter): ValidateFunction {
  const draft7 = typeof schema === 'object' && typeof schema['$schema'] === 'string' && schema['$schema'].includes('draft-07');
  const ajv = draft7 ? new Ajv(settings(meter, allErrors)) : new Ajv2020(settings(meter, allErrors));
  const spendFor = (errors: number): void => spend(meter, STEPS_OF_REFERENCE + errors);
  ajv.addKeyword({
    keyword: COUNTED,
    schemaType: 'boolean',
    // Behind a reference that failed nothing else of its schema is looked at.
    before: '$ref',
    code({ gen }: KeywordCxt) {
      const counter = gen.scopeValue('func', { ref: spendFor });
      gen.code(_`${counter}(${ERRORS_SO_FAR})`);
    },
  });
  ajv.removeKeyword('uniqueItems');
  ajv.addKeyword({
    keyword: 'uniqueItems',
    type: 'array',
    schemaType: 'boolean',
    error: { message: 'must not have the same entry twice' },
    validate: (wanted: boolean, list: readonly Json[]) => !wanted || new Set(list.map(canonical)).size === list.length,
  });
  return ajv.compile(counted(schema) as JsonObject | boolean);
}

/** One text for one value, whatever the order of fields. */
function canonical(value: Json): string {
  return JSON.stringify(value, (_name, inner: Json) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

/** What keeps a schema from being used, as a sentence; `undefined` when it is fine. */
export function schemaProblem(schema: JsonObject | boolean): string | undefined {
  if (typeof schema === 'object' && schema['$async'] === true) return 'cannot be checked: $async is not known here';
  try {
    makeValidator(schema, false, { left: MAX_STEPS });
    return undefined;
  } catch (error) {
    const why = error instanceof Error ? error.message : 'it could not be compiled';
    const format = /^unknown format "([^"]*)"/.exec(why)?.[1];
    return format === undefined
      ? `is not a JSON Schema that can be used: ${why}`.slice(0, 400)
      : `has the format ${JSON.stringify(format)}, which is not checked here: write a pattern`;
  }
}

/**
 * @returns a check that lists every problem of a small value, and the first of a large one.
 * @throws Error when the schema is none; {@link schemaProblem} says so beforehand. The check throws {@link TooManySteps}.
 */
export function compileSchema(schema: JsonObject | boolean): { first: SchemaCheck; all: SchemaCheck } {
  const meter: Meter = { left: MAX_STEPS };
  const checkWith = (validate: ValidateFunction): SchemaCheck => {
    return (value) => {
      meter.left = MAX_STEPS;
      return validate(value) ? [] : (validate.errors ?? []).map(problemOf);
    };
  };
  return { first: checkWith(makeValidator(schema, false, meter)), all: checkWith(makeValidator(schema, true, meter)) };
}

function problemOf({ keyword, message = 'breaks the schema', instancePath }: ErrorObject): SchemaProblem {
  return { keyword, message, path: stepsOf(instancePath) };
}
