import {
  type ASTVisitor,
  type DocumentNode,
  type FragmentDefinitionNode,
  type GraphQLError,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type ValidationContext,
  type ValidationRule,
} from 'graphql';
import { requestError } from './errors.ts';

/** What one document may be, at most. */
export const DOCUMENT_LIMITS = { depth: 12, aliases: 30, tokens: 2_000 } as const;

const tooMuch = (message: string): GraphQLError => requestError('TOO_COMPLEX', message);

/**
 * Refuses operations that nest deeper than 12 fields or use more than 30 aliases, fragments counted where they are
 * spread. Looking at the schema itself (`__schema`, `__type`) is not counted: its own nesting is bounded by the library.
 */
export const documentLimitsRule: ValidationRule = (context: ValidationContext): ASTVisitor => ({
  Document(document) {
    const measure = createMeasure(document);
    for (const definition of document.definitions) {
      if (definition.kind !== Kind.OPERATION_DEFINITION) continue;
      const { depth, aliases } = measure(definition.selectionSet);
      if (depth > DOCUMENT_LIMITS.depth) {
        context.reportError(
          tooMuch(`the operation nests ${depth} fields; at most ${DOCUMENT_LIMITS.depth} are allowed`),
        );
      }
      if (aliases > DOCUMENT_LIMITS.aliases) {
        context.reportError(
          tooMuch(`the operation uses ${aliases} aliases; at most ${DOCUMENT_LIMITS.aliases} are allowed`),
        );
      }
    }
  },
});

interface Size {
  readonly depth: number;
  readonly aliases: number;
}

const NOTHING: Size = { depth: 0, aliases: 0 };

/** Each fragment is measured once; one that contains itself counts nothing (another rule refuses it). */
function createMeasure(document: DocumentNode): (selectionSet: SelectionSetNode) => Size {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  }
  const measured = new Map<string, Size>();
  const measureFragment = (name: string): Size => {
    const known = measured.get(name);
    if (known) return known;
    measured.set(name, NOTHING);
    const fragment = fragments.get(name);
    const size = fragment ? measure(fragment.selectionSet) : NOTHING;
    measured.set(name, size);
    return size;
  };
  const measure = (selectionSet: SelectionSetNode): Size => {
    let depth = 0;
    let aliases = 0;
    for (const selection of selectionSet.selections) {
      let size = NOTHING;
      if (selection.kind === Kind.FRAGMENT_SPREAD) size = measureFragment(selection.name.value);
      else if (selection.kind === Kind.INLINE_FRAGMENT) size = measure(selection.selectionSet);
      else if (!isIntrospection(selection.name.value)) {
        const inner = selection.selectionSet ? measure(selection.selectionSet) : NOTHING;
        size = { depth: inner.depth + 1, aliases: inner.aliases + (selection.alias ? 1 : 0) };
      }
      depth = Math.max(depth, size.depth);
      aliases += size.aliases;
    }
    return { depth, aliases };
  };
  return measure;
}

const isIntrospection = (field: string): boolean => field === '__schema' || field === '__type';

/** The operation that a request means; undefined when it names none or leaves it open. */
export function findOperation(
  document: DocumentNode,
  name: string | null | undefined,
): OperationDefinitionNode | undefined {
  const operations = document.definitions.filter(
    (definition) => definition.kind === Kind.OPERATION_DEFINITION,
  );
  if (name != null) return operations.find((operation) => operation.name?.value === name);
  return operations.length === 1 ? operations[0] : undefined;
}

/** Whether an operation only looks at the schema, at its top level. */
export const isAboutSchema = (operation: OperationDefinitionNode, document: DocumentNode): boolean =>
  hasOnly(operation, document, (field) => field.startsWith('__'));

/** Whether every field at the top level of an operation passes, those of fragments too. */
export function hasOnly(
  operation: OperationDefinitionNode,
  document: DocumentNode,
  passes: (field: string) => boolean,
): boolean {
  const only = (selectionSet: SelectionSetNode, within: readonly string[]): boolean =>
    selectionSet.selections.every((selection) => {
      if (selection.kind === Kind.FIELD) return passes(selection.name.value);
      if (selection.kind === Kind.INLINE_FRAGMENT) return only(selection.selectionSet, within);
      const { value: name } = selection.name;
      return (
        !within.includes(name) &&
        document.definitions.some(
          (definition) =>
            definition.kind === Kind.FRAGMENT_DEFINITION &&
            definition.name.value === name &&
            only(definition.selectionSet, [...within, name]),
        )
      );
    });
  return only(operation.selectionSet, []);
}
