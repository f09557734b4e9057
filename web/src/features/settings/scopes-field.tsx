import { useQuery } from 'urql';
import type { Role } from '../../generated/graphql.ts';
import { graphql } from '../../generated/index.ts';

const rolesDocument = graphql(`
  query RoleGrants {
    roles {
      role
      permissions
    }
  }
`);

type ScopesFieldProps = {
  role: Role;
  /** Undefined: not limited. */
  value: readonly string[] | undefined;
  onChange: (scopes: readonly string[] | undefined) => void;
};

/** Limits what a key may do to some of the permissions of its role. */
export function ScopesField({ role, value, onChange }: ScopesFieldProps) {
  const [{ data }] = useQuery({ query: rolesDocument });
  const permissions = data?.roles.find((each) => each.role === role)?.permissions ?? [];
  const toggle = (permission: string, on: boolean) =>
    onChange(permissions.filter((each) => (each === permission ? on : (value ?? []).includes(each))));
  return (
    <fieldset className="min-w-0">
      <legend className="mb-1 font-medium text-sm">Scopes</legend>
      <label className="flex items-center gap-2 text-sm">
        <input
          type="checkbox"
          className="size-4 accent-accent"
          checked={value !== undefined}
          onChange={(event) => onChange(event.target.checked ? [] : undefined)}
        />
        Limit it to some of what the role allows
      </label>
      {value !== undefined && (
        <div className="mt-2 grid grid-cols-1 gap-1 rounded-md border border-line p-2 sm:grid-cols-2">
          {permissions.map((permission) => (
            <label key={permission} className="flex items-center gap-2 font-mono text-xs">
              <input
                type="checkbox"
                className="size-4 accent-accent"
                checked={value.includes(permission)}
                onChange={(event) => toggle(permission, event.target.checked)}
              />
              {permission}
            </label>
          ))}
        </div>
      )}
    </fieldset>
  );
}
