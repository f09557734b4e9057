import type {
  InputFieldMap,
  InputOrArgRef,
  InputShapeFromFields,
  InputShapeFromTypeParam,
  InterfaceParam,
  ObjectFieldsShape,
} from '@pothos/core';
import { builder } from './builder.ts';
import type { Operation } from './context.ts';
import { MUTATION_COST } from './cost.ts';
import type { SpecialError, UserError } from './errors.ts';
import {
  conflictErrorRef,
  forbiddenErrorRef,
  invitationErrorRef,
  lastAdminErrorRef,
  notFoundErrorRef,
  quotaErrorRef,
  resultTypeOf,
  validationErrorRef,
} from './user-errors.ts';

type Types = typeof builder extends PothosSchemaTypes.SchemaBuilder<infer Found> ? Found : never;
/** What the fields of an input are made with, where several mutations share them. */
export type InputBuilder = PothosSchemaTypes.InputFieldBuilder<Types, 'InputObject'>;

export type SuccessFields<Success> = ObjectFieldsShape<Types, Success>;

const mutationIdField = (t: InputBuilder) =>
  t.string({
    description:
      'Makes a retry harmless: for 24 hours the same id gives the first answer again. 1 to 128 printable characters.',
  });

type WithMutationId<Fields extends InputFieldMap> = Fields & {
  readonly clientMutationId: ReturnType<typeof mutationIdField>;
};
type InputRef<Fields extends InputFieldMap> = PothosSchemaTypes.InputObjectRef<
  Types,
  InputShapeFromFields<WithMutationId<Fields>>
>;
type ArgumentsOf<Fields extends InputFieldMap> = {
  readonly input: InputOrArgRef<Types, InputShapeFromTypeParam<Types, InputRef<Fields>, true>, 'Arg'>;
};

/** Everything a caller sees of a mutation. Keep the order: each member is typed by those before it. */
interface MutationShape<Fields extends InputFieldMap, Success extends object> {
  /** Noun first, for example `deviceCreate`; names `DeviceCreateInput`, `DeviceCreateSuccess`, `DeviceCreateResult` too. */
  readonly name: string;
  /** What it does, and the permission it needs. */
  readonly description: string;
  readonly input: {
    readonly description: string;
    /** What the argument `input` is, in a word or two. */
    readonly argument: string;
    /** Its fields, without `clientMutationId`: every mutation has that. */
    readonly fields: (t: InputBuilder) => Fields;
  };
  /** What its result has besides the success and the four errors of every mutation; `runMutation` is told the same. */
  readonly refusals?: readonly SpecialError['kind'][];
  /** Does it, by `runMutation`. */
  readonly run: (
    operation: Operation,
    args: InputShapeFromFields<ArgumentsOf<Fields>>,
  ) => Promise<Success | UserError | SpecialError>;
  /** Describes the union of success and errors: "What came of creating a device." */
  readonly result: string;
  readonly success: {
    readonly description: string;
    readonly fields?: SuccessFields<Success>;
    /** Those whose fields it has besides, where several mutations share them. */
    readonly interfaces?: InterfaceParam<Types>[];
  };
}

const specialErrorRefs = {
  LastAdminError: lastAdminErrorRef,
  InvitationError: invitationErrorRef,
  QuotaError: quotaErrorRef,
};

/**
 * Adds a mutation to the schema: its field, at the cost of a write, its input with `clientMutationId`, its success type
 * and the union of that with ValidationError, NotFoundError, ConflictError, ForbiddenError and its own refusals.
 */
export function defineMutation<Fields extends InputFieldMap, Success extends object>(
  shape: MutationShape<Fields, Success>,
): void {
  const { name, description, input, refusals = [], run, result, success } = shape;
  const typeName = `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
  const inputRef: InputRef<Fields> = builder.inputType(`${typeName}Input`, {
    description: input.description,
    fields: (t): WithMutationId<Fields> => ({ ...input.fields(t), clientMutationId: mutationIdField(t) }),
  });
  const successRef = builder.objectRef<Success>(`${typeName}Success`).implement(success);
  const resultRef: PothosSchemaTypes.UnionRef<Types, object, object> = builder.unionType(
    `${typeName}Result`,
    {
      description: result,
      types: [
        successRef,
        validationErrorRef,
        notFoundErrorRef,
        conflictErrorRef,
        forbiddenErrorRef,
        ...refusals.map((kind) => specialErrorRefs[kind]),
      ],
      resolveType: resultTypeOf(`${typeName}Success`),
    },
  );
  builder.mutationField(name, (t) => {
    const args: ArgumentsOf<Fields> = {
      input: t.arg({ type: inputRef, required: true, description: input.argument }),
    };
    return t.field({
      type: resultRef,
      description,
      complexity: MUTATION_COST,
      args,
      resolve: (_root, given, operation) => run(operation, given),
    });
  });
}
