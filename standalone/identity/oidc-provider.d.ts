/** The part of oidc-provider 9 used here; the package carries no types of its own. */
declare module 'oidc-provider' {
  import type { IncomingMessage, Server, ServerResponse } from 'node:http';

  export interface Payload {
    readonly uid?: string;
    readonly grantId?: string;
    readonly userCode?: string;
    consumed?: number;
    readonly [key: string]: unknown;
  }

  export interface Adapter {
    upsert(id: string, payload: Payload, expiresInSeconds?: number): Promise<void>;
    find(id: string): Promise<Payload | undefined>;
    findByUid(uid: string): Promise<Payload | undefined>;
    findByUserCode(userCode: string): Promise<Payload | undefined>;
    consume(id: string): Promise<void>;
    destroy(id: string): Promise<void>;
    revokeByGrantId(grantId: string): Promise<void>;
  }

  export interface Client {
    readonly clientId: string;
    readonly tenant_id?: string;
    readonly roles?: readonly string[];
    grantTypeAllowed(type: string): boolean;
  }

  export interface Context {
    readonly req: IncomingMessage;
    readonly res: ServerResponse;
    readonly path: string;
    readonly method: string;
    status: number;
    type: string;
    body: unknown;
    respond: boolean;
    set(name: string, value: string): void;
    readonly oidc: {
      readonly provider: Provider;
      readonly client: Client;
      readonly session: { readonly accountId: string };
      readonly entities: Readonly<Record<string, unknown>>;
    };
  }

  export interface Interaction {
    readonly uid: string;
    readonly params: Readonly<Record<string, unknown>>;
  }

  export class Grant {
    constructor(properties: { clientId: string; accountId: string });
    addOIDCScope(scope: string): void;
    addResourceScope(resource: string, scope: string): void;
    save(): Promise<string>;
  }

  export interface Token {
    readonly accountId?: string;
    readonly clientId?: string;
    readonly grantId?: string;
  }

  export interface Account {
    readonly accountId: string;
    claims(): Record<string, unknown>;
  }

  export interface Configuration {
    readonly adapter: (model: string) => Adapter;
    readonly clients: readonly Record<string, unknown>[];
    readonly jwks: { readonly keys: readonly object[] };
    readonly cookies: { readonly keys: readonly string[] };
    readonly findAccount: (context: Context, id: string) => Account | undefined;
    readonly extraTokenClaims: (context: Context, token: Token) => Record<string, unknown> | undefined;
    readonly clientBasedCORS: (context: Context, origin: string) => boolean;
    readonly loadExistingGrant: (context: Context) => Promise<Grant>;
    readonly issueRefreshToken: (context: Context, client: Client) => Promise<boolean>;
    readonly renderError: (context: Context, out: Record<string, string>, error: Error) => void;
    readonly interactions: { readonly url: (context: Context, interaction: Interaction) => string };
    readonly formats?: {
      readonly customizers: {
        /** May change the payload of an access token before it is signed. */
        jwt(
          context: Context | undefined,
          token: Token,
          parts: { readonly payload: Record<string, unknown> },
        ): void;
      };
    };
    readonly [option: string]: unknown;
  }

  export class Provider {
    constructor(issuer: string, configuration: Partial<Configuration>);
    readonly Grant: typeof Grant;
    use(middleware: (context: Context, next: () => Promise<void>) => Promise<void>): void;
    on(event: 'server_error', listener: (context: Context, error: Error) => void): void;
    listen(port: number, host: string): Server;
    interactionDetails(request: IncomingMessage, response: ServerResponse): Promise<Interaction>;
    interactionFinished(
      request: IncomingMessage,
      response: ServerResponse,
      result: Record<string, unknown>,
      options: { mergeWithLastSubmission: boolean },
    ): Promise<void>;
  }
}
