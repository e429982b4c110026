// Clients of one AWS service: one for each region and each set of credentials, kept with their connections while they are used.
import { LRUCache } from 'lru-cache';
import type { Delivery } from './sender.ts';

/** Gives credentials when a client asks for them. */
export type CredentialProvider = () => Promise<{
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
}>;

/** Where the services are, and who signs. */
export interface AwsAccess {
  /** In place of AWS's own, or of what the SDK finds in the machine's AWS configuration. */
  readonly endpoints: Readonly<
    Partial<Record<'sqs' | 'sns' | 'events' | 's3', string | undefined>>
  >;
  /** Undefined: as the host's process itself, by the SDK's default chain. */
  credentialsOf(identity: {
    readonly role: string;
    readonly account: string;
  }): CredentialProvider | undefined;
}

/** A dead host is noticed by the first, a silent one by the second. */
const CONNECTION_TIMEOUT_MS = 3_000;
const REQUEST_TIMEOUT_MS = 20_000;
/** A kept connection that has just been closed by the other side is tried again at once; everything else is left to the queue. */
const MAX_ATTEMPTS = 2;
/** More are hardly in use at once; a client that makes way and is wanted again is made again. */
const MAX_CLIENTS = 200;

/** What every client is made with. */
export interface ClientConfig {
  readonly region: string;
  readonly maxAttempts: number;
  readonly requestHandler: {
    readonly connectionTimeout: number;
    readonly requestTimeout: number;
    readonly throwOnRequestTimeout: true;
  };
  readonly endpoint?: string;
  readonly credentials?: CredentialProvider;
}

export class ClientCache<Client extends { destroy(): void }> implements Disposable {
  readonly #create: (config: ClientConfig) => Client;
  readonly #service: keyof AwsAccess['endpoints'];
  readonly #access: AwsAccess;
  readonly #clients = new LRUCache<string, Client>({
    max: MAX_CLIENTS,
    dispose: (client) => client.destroy(),
  });

  constructor(
    service: keyof AwsAccess['endpoints'],
    access: AwsAccess,
    create: (config: ClientConfig) => Client,
  ) {
    this.#service = service;
    this.#access = access;
    this.#create = create;
  }

  /** The client for this delivery's function and the target's region; a bucket is looked for in the function's. */
  clientFor({ head, target }: Delivery): Client {
    const region = target.region === '' ? head.region : target.region;
    const identity = { role: head.roleArn, account: head.account };
    const credentials = this.#access.credentialsOf(identity);
    const key = `${region} ${credentials === undefined ? '' : `${head.account} ${head.roleArn}`}`;
    const known = this.#clients.get(key);
    if (known !== undefined) return known;
    const client = this.#create(this.#config(region, credentials));
    this.#clients.set(key, client);
    return client;
  }

  [Symbol.dispose](): void {
    this.#clients.clear();
  }

  #config(region: string, credentials: CredentialProvider | undefined): ClientConfig {
    const endpoint = this.#access.endpoints[this.#service];
    return {
      region,
      maxAttempts: MAX_ATTEMPTS,
      requestHandler: {
        connectionTimeout: CONNECTION_TIMEOUT_MS,
        requestTimeout: REQUEST_TIMEOUT_MS,
        throwOnRequestTimeout: true,
      },
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(credentials === undefined ? {} : { credentials }),
    };
  }
}
